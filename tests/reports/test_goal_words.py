"""`muster goals` and the mail tell the same of where a goal's trend leads."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from measured import AS_OF, goal, kpi, values

from muster.goals import goals
from muster.reports import goal_lines
from muster.reports.numbers import Style
from muster.settings import Windows

MENTIONS = kpi("mentions", better="none")
SAME = {
    "there are too few values for a trend": "there are too few values for a trend.",
    "at the present trend it arrives on": "the present trend arrives in time.",
    "at the present trend it arrives only on": "the present trend arrives too late.",
    "the present trend still meets the target": "the present trend still meets the target.",
    "the present trend leads to": "the present trend does not lead to the target.",
}


@given(
    st.lists(st.integers(0, 200), min_size=2, max_size=9),
    st.sampled_from(["at_least", "at_most", "reach"]),
)
def test_command_and_mail_say_the_same(numbers, form):
    aim = goal("G", "mentions", {form: 100})
    at = ZoneInfo("Europe/Berlin")
    numbers = values("mentions", numbers)
    (status,) = goals.judge([aim], [MENTIONS], numbers, "week", AS_OF, at, Windows())
    if status.status not in ("at_risk", "off_track"):
        return
    said = goal_lines.goal_line(aim, status, MENTIONS, "week", Style("count")).reason
    (told,) = [words for phrase, words in SAME.items() if f"; {phrase} " in f"{said[:-1]} "]
    assert status.reason.endswith(told)
