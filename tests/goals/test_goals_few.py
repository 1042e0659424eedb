"""A goal on a value that rests on too few cases: no news from three of them."""

from __future__ import annotations

from dataclasses import replace

from test_goals import goal, judged, weekly


def test_three_cases_neither_meet_nor_miss_a_goal():
    calm = weekly("wait", [7200, 7200, 3600, 90_000])
    for week in (2, 3):
        few = [*calm[:week], replace(calm[week], n=3, too_few=True)]
        found = judged(goal(), few)
        assert (found.status, found.value) == ("no_data", None)
        assert "rests on 3 only, fewer than min_n" in found.reason
        assert judged(goal(), calm[: week + 1]).status == ("met", "at_risk")[week - 2]
