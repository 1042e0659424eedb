"""The mail is whole for every reader: HTML, text, images off, style stripped, hostile words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sample import HOSTILE, hostile_view, quiet_view, sample_view

from muster.errors import Refused
from muster.reports import email
from muster.reports.model import ReportView

SENT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def rendered(view: ReportView, **changed: str) -> EmailMessage:
    how = {"sender": "muster@example.edu", "recipient": "chief@example.edu"} | changed
    return email.render(view, message_id="weekly.2026-11-16.7f@example.edu", date=SENT, **how)


def received(view: ReportView) -> EmailMessage:
    """The mail as a mail program reads it."""
    return message_from_bytes(rendered(view).as_bytes(), policy=policy.default)


def html_of(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content()


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def test_html_and_text_are_as_agreed(golden):
    mail = received(sample_view())
    golden("email/report.html", html_of(mail))
    golden("email/report.txt", text_of(mail))


def test_a_quiet_week_is_short_and_says_so(golden):
    mail = received(quiet_view())
    golden("email/quiet.txt", text_of(mail))
    assert "Nothing left its routine range" in html_of(mail)
    assert "Simulated" not in html_of(mail)


@pytest.mark.parametrize("view", [sample_view(), quiet_view(), hostile_view()])
def test_the_mail_is_read_back_without_defects(view):
    mail = received(view)
    assert mail.get_content_type() == "multipart/alternative"
    text, related = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    assert not [defect for part in mail.walk() for defect in part.defects]
    assert not [defect for header in mail.values() for defect in header.defects]


def test_every_named_chart_is_attached_and_every_attachment_is_named():
    mail = received(sample_view())
    named = set(re.findall(r'src="cid:([^"]+)"', html_of(mail)))
    attached = {
        part["Content-ID"].strip("<>"): part.get_content()
        for part in mail.walk()
        if part.get_content_type() == "image/png"
    }
    assert named == set(attached)
    assert all(data.startswith(b"\x89PNG") for data in attached.values())


def test_the_same_report_gives_the_same_bytes():
    assert rendered(sample_view()).as_bytes() == rendered(sample_view()).as_bytes()


def test_goals_stand_before_changes_before_the_chart_before_all_measures():
    page, text = html_of(received(sample_view())), text_of(received(sample_view()))
    places = [page.index(mark) for mark in (">Goals<", ">What changed<", "cid:wide", ">All meas")]
    assert places == sorted(places)
    headings = [text.index(mark) for mark in ("GOALS", "WHAT CHANGED", "ALL MEASURES", "HOW TO")]
    assert headings == sorted(headings)


@pytest.mark.parametrize("part", ["html", "text"])
def test_every_number_is_readable_without_images(part):
    view, mail = sample_view(), received(sample_view())
    shown = text_of(mail) if part == "text" else without_tags(html_of(mail))
    for measure in view.measures:
        assert measure.title in shown
        assert measure.value_text in shown
        assert measure.reading in shown
    for goal in view.goals:
        assert f"{goal.target_text} {goal.by_text}" in shown
    for issue in view.waiting:
        assert issue.waited_text in shown
    assert "campus-x" in shown
    assert "Simulated data" in shown


def without_tags(page: str) -> str:
    body = re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", body.replace("&amp;", "&"))


def test_every_image_says_in_words_what_it_shows():
    page = html_of(received(sample_view()))
    page = page.replace("\xa0", " ")  # a number and its unit stay on one line
    alts = dict(re.findall(r'src="cid:([\w-]+)@muster"[^>]*? alt="([^"]*)"', page))
    assert "Routine range" in alts["wide"]
    assert sample_view().headline.value_text in alts["wide"]
    assert alts["goal-0"].startswith("Met, 2 h 48 min, target at most 4 h")
    assert alts["spark-0"].startswith("routine range")


def test_only_what_mail_programs_understand():
    page = html_of(received(sample_view())).lower()
    for forbidden in ("<svg", "<script", '="data:', "<link", "@import", "@font-face"):
        assert forbidden not in page
    assert not re.search(r"display:\s*(flex|grid)", page)
    assert not re.search(r"""(src|background)=["']https?:""", page)
    assert not re.search(r"url\(", page)


def test_a_report_of_a_hundred_measures_stays_under_the_limit_and_says_what_it_left_out():
    view = sample_view()
    many = replace(view, measures=view.measures * 10)
    mail = received(many)
    page = html_of(mail)
    assert len(page.encode()) < 80_000
    assert re.search(r"\d+ more measures are on the site", page)
    assert text_of(mail).count("First response, median:") >= 10
    assert len(html_of(received(view)).encode()) < 80_000


def test_one_click_unsubscribe_where_there_is_an_address():
    web = replace(sample_view(), unsubscribe_url="https://example.edu/stop?u=7")
    assert received(web)["List-Unsubscribe"] == "<https://example.edu/stop?u=7>"
    assert received(web)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert received(sample_view())["List-Unsubscribe"].startswith("<mailto:")
    none = received(replace(sample_view(), unsubscribe_url=""))
    assert none["List-Unsubscribe"] is None
    assert "Unsubscribe" not in html_of(none)


@pytest.mark.parametrize(
    "subject",
    [
        "Worse: Unanswered issues unusually high (8); 4 of 7 goals behind (week 47)",
        "Schlechter: Unbeantwortete Anliegen ungewöhnlich hoch (8); 4 von 7 Zielen im Rückstand "
        "(KW 47)",
        "Größer: Ärger über übermäßige Öffnungszeiten – 3 von 4 Zielen gefährdet – KW 47 äöü",
        "短い件名ではありません：先週より返信が遅くなりました（第四十七週）、目標は七つのうち四つ",
    ],
)
def test_a_subject_begins_on_its_own_line_and_is_read_back_letter_by_letter(subject):
    raw = rendered(replace(sample_view(), subject=subject)).as_bytes()
    assert re.search(rb"(?m)^Subject: \S", raw)
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject
    head = raw.partition(b"\n\n")[0]
    assert max(map(len, head.splitlines())) <= 78


def test_headers_cannot_be_injected():
    view = replace(
        sample_view(), subject="Week\r\nBcc: all@example.org", community="IT\nBcc: x@example.org"
    )
    mail = received(view)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Week Bcc: all@example.org"
    assert mail["From"].addresses[0].addr_spec == "muster@example.edu"


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b\r\nBcc: c@d", "a b@c", "a@b, c@d", "@", "\u202ea@b.example"]
)
def test_a_malformed_address_is_refused_with_the_place_to_mend_it(address):
    with pytest.raises(Refused, match="muster.yaml"):
        rendered(sample_view(), recipient=address)


def test_hostile_words_are_inert_in_html():
    page = html_of(received(hostile_view())).lower()
    assert "<script" not in page
    assert not re.search(r"<[^>]+\sonerror\s*=", page)
    assert not re.search(r'(href|src)="(?!https?:|cid:|mailto:)', page)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", page)
    assert "x" * 1_000 not in page
    assert "{{ 7 * 7 }}" in page


def test_hostile_words_are_inert_in_text():
    text = text_of(received(hostile_view()))
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x0c\x0e-\x1f]", text)
    assert "javascript:" not in text
    assert HOSTILE[0] in text
    assert max(map(len, text.splitlines())) < 1_000
