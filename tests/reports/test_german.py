"""A report in another language holds no English word of ours: mail, text part, site and charts."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime
from html import unescape

import pytest
from measured import campus
from test_words import leaves

from muster.kpis import catalogue
from muster.reports import email, site, words

SENT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
#: Names that the settings of the sample and the platforms gave; they are nobody's to translate.
GIVEN = (
    "Answer fast", "Leave nobody waiting", "Keep them", "Happy people", "Outage", "Help",
    "What it says", "Campus IT", "team",
)  # fmt: skip


def fragments(texts) -> set[str]:
    """What stands between the places of texts, if it can be told from another language."""
    found: set[str] = set()
    for text in texts:
        for literal, _, inside, _ in string.Formatter().parse(text):
            found |= set(re.split(r"[|=]", literal))
            found |= fragments([inside]) if inside else set()
    return {part.strip(" .,:;()") for part in found if len(part.strip(" .,:;()")) > 3}


def ours(language: str) -> set[str]:
    told = leaves(words.load(language).texts).values()
    return fragments(told)


def visible(page: str) -> str:
    """What a reader, or a program that reads aloud, meets: text, alternative texts, no code."""
    page = re.sub(r"<(style|script|pre|code)\b.*?</\1>", " ", page, flags=re.S)
    page = re.sub(r'<(\w+) lang="en">.*?</\1>', " ", page)  # told as English: what columns hold
    said = re.findall(r'(?:alt|aria-label|content|data-text)="([^"]*)"', page)
    return unescape(" ".join([re.sub(r"<[^>]+>", " ", page), *said]))


def english_in(text: str) -> set[str]:
    text = re.sub(r"\S+\.(json|html)", " ", " ".join(text.split()))  # files have one name for all
    for given in GIVEN:
        text = text.replace(given, " ")
    foreign = ours("en") - ours("de") - {"name"}
    foreign |= {one for kpi in catalogue.load() for one in (kpi.title, kpi.question)}
    foreign -= {told[part] for told in words.load("de").kpis.values() for part in told}
    alike = {one.lower() for one in ours("de")}
    foreign = {one for one in foreign if one.lower() not in alike}
    return {one for one in foreign if re.search(rf"(?i)(?<!\w){re.escape(one)}(?!\w)", text)}


@pytest.fixture(scope="module")
def view():
    return campus(language="de")


def test_the_mail_and_its_text_part(view):
    mail = email.render(
        view, sender="a@example.edu", recipient="b@example.edu", message_id="m@x", date=SENT
    )
    assert not english_in(visible(mail.get_body(("html",)).get_content()))
    assert not english_in(mail.get_body(("plain",)).get_content())
    assert not english_in(mail["Subject"])


def test_every_page_of_the_site(view):
    pages = {path: data for path, data in site.render([view]).items() if path.endswith(".html")}
    assert len(pages) > 10
    for path, page in pages.items():
        assert not english_in(visible(page.decode())), path
        assert b'<html lang="de">' in page


def test_the_german_text_is_as_agreed(view, golden):
    golden("email/bericht.txt", email.plain(view))


def test_english_would_be_found():
    found = english_in(email.plain(campus()))
    assert {"What changed", "moved within", "Better"} <= found
