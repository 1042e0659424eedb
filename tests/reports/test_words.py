"""Words: one file a language, complete, with numbers and plurals that read aloud."""

from datetime import date

import pytest

from muster.errors import BadSettings
from muster.reports import words
from muster.reports.words import en


def public(module) -> set[str]:
    return {name for name in vars(module) if not name.startswith("_")}


def test_every_language_says_everything():
    assert "en" in words.languages()
    for language in words.languages():
        assert public(words.load(language)) >= public(en)


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(BadSettings, match="'xx'.*en"):
        words.load("xx")


@pytest.mark.parametrize(
    ("grain", "first", "last", "text"),
    [
        ("week", (2026, 11, 16), (2026, 11, 22), "Week 47: 16–22 November 2026"),
        ("week", (2026, 9, 28), (2026, 10, 4), "Week 40: 28 September – 4 October 2026"),
        ("week", (2026, 12, 28), (2027, 1, 3), "Week 53: 28 December 2026 – 3 January 2027"),
        ("month", (2026, 11, 1), (2026, 11, 30), "November 2026"),
        ("quarter", (2026, 10, 1), (2026, 12, 31), "quarter 4 of 2026"),
        ("year", (2026, 1, 1), (2026, 12, 31), "2026"),
    ],
)
def test_periods_read_as_people_say_them(grain, first, last, text):
    assert en.period_text(grain, date(*first), date(*last)) == text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((6, 2, 0, 0), "2 of 6 goals at risk"),
        ((6, 0, 1, 0), "1 of 6 goals off track"),
        ((6, 2, 1, 1), "3 of 6 goals behind"),
        ((6, 0, 0, 1), "1 of 6 goals without data"),
        ((6, 0, 0, 0), "all 6 goals on track"),
        ((1, 0, 0, 0), "the goal is on track"),
    ],
)
def test_the_goals_clause_of_a_subject(counts, text):
    assert en.goals_clause(*counts) == text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        (
            {"met": 2, "on_track": 1, "at_risk": 1, "off_track": 1, "no_data": 1},
            "Of 6 goals 2 are met, 1 on track, 1 at risk, 1 off track and 1 without data.",
        ),
        ({"met": 1, "at_risk": 2}, "Of 3 goals 1 is met and 2 at risk."),
        ({"on_track": 4}, "All 4 goals are on track."),
        ({"off_track": 1}, "The goal is off track."),
    ],
)
def test_goals_in_one_sentence(counts, text):
    assert en.goals_sentence(counts) == text


def test_one_and_many():
    assert en.waiting_sentence(1, "2 h") == "1 issue waits for an answer now, for 2 h so far."
    assert en.waiting_sentence(7, "2 h") == (
        "7 issues wait for an answer now, the longest for 2 h."
    )
    assert en.quarantined("forum", 1) == "forum: 1 item could not be read and waits in quarantine."
    assert en.rest_sentence(1, True, "week") == (
        "1 moved within its usual range and needs no explanation."
    )
