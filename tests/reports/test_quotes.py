"""Quotes fit a line, are no links, are of the report's period, and are found when they must go."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from measured import AS_OF, build, kpi, values, waiting
from sample import sample_view

from muster.lake import suppression
from muster.lake.erasing import Erasure
from muster.pipeline import quotes
from muster.reports import email, inert, pages, quoted, words
from muster.reports.model import Complaint, Waiting
from muster.results import Answer, UnhappyThread, Voices
from muster.settings import Report

WEEK = Voices(
    "week",
    date(2026, 11, 16),
    (Answer("forum", "Title", "https://f.example/1", "So it is done.", "@mirko", 1, True, True),),
    (UnhappyThread("x", "", "https://x.example/2", "Nothing works", 3),),
)


@given(st.text(max_size=900))
@example("://")  # no address
def test_an_excerpt_is_one_short_line_without_addresses(raw: str) -> None:
    told = inert.excerpt(raw)
    assert len(told) <= inert.QUOTE + 1 and len(told.splitlines()) <= 1
    assert not re.search(r"://\S", told)
    assert inert.text(told, inert.LONGEST) == told, "it goes through the mail unchanged"


def test_what_a_mail_program_would_make_a_link_of_is_left_out() -> None:
    told = inert.excerpt(
        "see https://evil.example/x?y or www.evil.example, ask me@evil.example now"
    )
    assert told == "see … or … ask … now"


def test_a_long_text_is_cut_at_a_word() -> None:
    told = inert.excerpt("word " * 100)
    assert told.endswith("word …") and len(told) <= inert.QUOTE
    assert inert.excerpt("携帯電話を失くしました。" * 30).startswith(
        "携帯電話を失くしました。携帯電話"
    )
    assert len(inert.excerpt("Hi " + "携" * 300)) > 100


@pytest.mark.parametrize("joined", ["👩\u200d💻", "🏳️\u200d🌈", "نمی\u200cدانم", "क्\u200dष"])
def test_a_joined_emoji_stays_one_and_a_word_keeps_the_joiner_it_is_written_with(joined) -> None:
    assert inert.text(f"{joined} Anna") == f"{joined} Anna"
    cut = inert.text(joined * 40, 33)
    assert inert.text(cut, 33) == cut


@pytest.mark.parametrize(
    "hidden", ["pay\u200dpal", "1\u200c2", "\u200dpaypal", "a\u200d\u200d\u202e"]
)
def test_nothing_unseen_hides_between_letters(hidden) -> None:
    assert inert.text(hidden).isprintable()


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=12, max_size=400)


@example("It took 5 d & <3 h> to get 'nothing'")
@given(TEXTS.filter(lambda text: len(inert.excerpt(text)) > 11))
def test_whatever_was_quoted_is_found_in_mail_and_page_when_it_is_to_go(text: str) -> None:
    quote = inert.excerpt(text)
    view = replace(
        sample_view(), praise=(), complaints=(Complaint("T", "", quote, "forum"),), measures=(),
        waiting=(Waiting("", None, "x", "3 h", "Monday", quote),),
    )  # fmt: skip
    erasure = Erasure(
        "forum", "m1", suppression.Suppressed("salt", {}), "erased-1", str,
        words=quotes.spellings([text]),
    )  # fmt: skip
    front = pages.overview(view, pages.Place("", "v/1/", "assets/1/"))
    for page in (email.plain(view), email.html(view), front):
        clean = erasure.scrubbed(page)
        assert clean != page
        assert not [way for way in (quote, *quotes._in_html(quote)) if way in clean]


def test_a_report_tells_what_was_said_in_its_own_period_only() -> None:
    kpis, kpi_values = [kpi("messages")], values("messages", [1, 2])
    found = build(kpis, kpi_values, voices=(WEEK,))
    assert [one.quote for one in found.praise] == ["So it is done."]
    assert found.praise[0].text == "by @mirko · forum · accepted · 1 like"
    assert [one.text for one in found.complaints] == ["x · 3 unhappy messages"]
    earlier = build(kpis, kpi_values, voices=(replace(WEEK, period_start=date(2026, 11, 9)),))
    assert not earlier.praise and not earlier.complaints
    monthly = build(kpis, kpi_values, report=Report(grain="month"), voices=(WEEK,), as_of=AS_OF)
    assert not monthly.praise


def test_an_executive_reads_no_quotes() -> None:
    found = build(
        [kpi("messages")], values("messages", [1, 2]), report=Report(voice="executive"),
        voices=(WEEK,),
    )  # fmt: skip
    assert not found.praise and not found.complaints


def test_nothing_is_told_of_what_was_erased() -> None:
    (answer,) = WEEK.answers
    assert not quoted.praise([replace(answer, quote="")], words.load())
    assert not quoted.complaints([replace(WEEK.unhappy[0], quote="")], words.load())


def test_an_issue_without_a_title_is_told_by_its_first_words() -> None:
    bare = replace(waiting(2, " "), quote="My phone is lost")
    issues = (waiting(3, "Help"), bare, waiting(1, None))
    view = build([kpi("messages")], values("messages", [1]), waiting=issues)
    told = [one.title or one.quote for one in view.waiting]
    assert told == ["Help", "My phone is lost", "Untitled"]
    front = pages.overview(view, pages.Place("", "v/1/", "assets/1/"))
    for page in (email.plain(view), email.html(view), front):
        assert "“My phone is lost”" in page and "Untitled" in page
