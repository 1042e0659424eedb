"""`muster goals` and the mail tell the same of where a goal's trend leads."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from measured import AS_OF, goal, kpi, values

from muster.goals import goals
from muster.reports import goal_lines
from muster.reports.numbers import Style
from muster.reports.series import Series, all_series
from muster.settings import Windows

MENTIONS, STYLE = kpi("mentions", better="none"), Style("count")
AT = ZoneInfo("Europe/Berlin")
SAME = {
    "there are too few values for a trend": "there are too few values for a trend.",
    "at the present trend it arrives on": "the present trend arrives in time.",
    "at the present trend it arrives only on": "the present trend arrives too late.",
    "at the present trend it arrives only in": "the present trend arrives too late.",
    "the present trend still meets the target": "the present trend still meets the target.",
    "the present trend leads to": "the present trend does not lead to the target.",
    "the present trend leads away": "the present trend does not lead to the target.",
}


@given(
    st.lists(st.integers(0, 200), min_size=2, max_size=9),
    st.sampled_from(["at_least", "at_most", "reach"]),
)
def test_command_and_mail_say_the_same(numbers, form):
    aim = goal("G", "mentions", {form: 100})
    status = judged(aim, values("mentions", numbers))
    if status.status not in ("at_risk", "off_track"):
        return
    said = goal_lines.goal_line(aim, status, MENTIONS, "week", Style("count")).reason
    (told,) = [words for phrase, words in SAME.items() if f"; {phrase} " in f"{said[:-1]} "]
    assert status.reason.endswith(told)


def judged(aim, known, of=MENTIONS):
    (status,) = goals.judge([aim], [of], known, "week", AS_OF, AT, Windows())
    return status


def line(aim, numbers, of=MENTIONS, style=STYLE, few=()):
    """The goal's line in a report on these weeks."""
    known = values(of.id, numbers, few=few)
    status = judged(aim, known, of)
    series = all_series([of], known, "week", AS_OF, AT).get((of.id, "all"))
    return goal_lines.goal_line(aim, status, of, "week", style, series)


def test_a_value_of_0_is_told():
    kept = line(goal("G", "mentions", {"at_most": 0}), [0, 0])
    assert (kept.status, kept.value_text, kept.value_at) == ("met", "0", 0.0)


def test_a_count_is_reached_whole():
    from_eleven = {"baseline": {"from": "2026-11-02", "to": "2026-11-15"}}
    short = line(goal("G", "mentions", {"increase_by": "10%"}, **from_eleven), [11, 11, 12])
    assert (short.status, short.value_text, short.target_text) == ("on_track", "12", "at least 13")
    fewer = line(goal("G", "mentions", {"decrease_by": "10%"}, **from_eleven), [11, 11, 10])
    assert (fewer.value_text, fewer.target_text) == ("10", "at most 9")


def test_a_share_that_misses_by_a_hair_does_not_read_like_its_target():
    share = kpi("share", "ratio")
    told = line(
        goal("G", "share", {"at_least": "90%"}), [0.91, 0.89962], share, Style("ratio", decimals=1)
    )
    assert (told.status, told.value_text, told.target_text) == (
        "at_risk",
        "89.96%",
        "at least 90%",
    )


def test_a_percentage_of_nothing_is_no_target():
    nothing = {"baseline": {"from": "2026-11-02", "to": "2026-11-15"}}
    aim = goal("G", "mentions", {"increase_by": "10%"}, **nothing)
    assert judged(aim, values("mentions", [0, 0, 3])).reason.startswith("Its baseline is 0")
    told = line(aim, [0, 0, 3])
    assert (told.status, told.target_text) == ("no_data", "10% more than the baseline")
    assert told.reason.startswith("The baseline is 0")
    told = line(aim, [3])
    assert told.reason.startswith("There is no value in the baseline, 2–15 November 2026: ")
    never = Series(MENTIONS, "all", "week", (), ())
    reason = goal_lines.goal_line(aim, judged(aim, []), MENTIONS, "week", STYLE, never).reason
    assert reason == "No whole week to measure in messages yet."


def test_a_value_of_too_few_cases_says_so_and_meets_nothing():
    share, style = kpi("share", "ratio"), Style("ratio")
    told = line(goal("G", "share", {"at_least": "90%"}), [0.5, 1], share, style, few=(1,))
    assert (told.status, told.reason) == (
        "no_data", "The value rests on 2 cases only: too few to judge.",
    )  # fmt: skip
