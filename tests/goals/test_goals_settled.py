"""Goals on a KPI that waits for a window: judged on the last week whose window is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from test_goals import KPIS, ZONE, goal, weekly

from muster.goals import goals
from muster.settings import Windows

AS_OF = datetime(2026, 11, 24, 5, tzinfo=UTC)  # a Tuesday: week 47 is over, its 7 days are not
ANSWERED = replace(next(kpi for kpi in KPIS if kpi.id == "answered"), settles="resolution")


def judged(numbers, by: str = "2026-12-31", as_of: datetime = AS_OF, settles="resolution", **spans):
    """The verdict on values that end with week 47; those still moving are stored as partial."""
    values = weekly("answered", numbers, first=date(2026, 11, 16) - timedelta(7 * len(numbers) - 7))
    values[-1] = replace(values[-1], partial=settles == "resolution" and as_of == AS_OF)
    the_goal = goal("answered", by=by, target={"at_least": "70%"})
    kpi = replace(ANSWERED, settles=settles)
    (status,) = goals.judge([the_goal], [kpi], values, "week", as_of, ZONE, Windows(**spans))
    return status


def test_a_week_whose_window_is_not_over_is_not_judged():
    status = judged([0.8, 0.8, 0.8, 0.1])
    assert (status.status, status.value) == ("met", 0.8)
    assert status.period_start == date(2026, 11, 9)


def test_a_week_later_it_is_judged():
    status = judged([0.8, 0.8, 0.8, 0.1], as_of=AS_OF + timedelta(days=7))
    assert (status.value, status.period_start) == (0.1, date(2026, 11, 16))


@pytest.mark.parametrize(("settles", "spans"), [("answer", {}), ("", {})])
def test_a_window_that_is_over_changes_nothing(settles, spans):
    status = judged([0.8, 0.8, 0.8, 0.1], settles=settles, **spans)
    assert (status.value, status.period_start) == (0.1, date(2026, 11, 16))


def test_the_window_is_the_one_that_is_set():
    values = weekly("answered", [0.8, 0.6, 0.1], first=date(2026, 11, 2))
    aim = goal("answered", target={"at_least": "70%"})
    windows = Windows(resolution=timedelta(days=14))
    (status,) = goals.judge([aim], [ANSWERED], values, "week", AS_OF, ZONE, windows)
    assert (status.value, status.period_start) == (0.8, date(2026, 11, 2))


def test_a_goal_is_due_only_when_its_last_week_has_settled():
    numbers = [0.5, 0.5, 0.6, 0.65]
    assert judged(numbers, by="2026-11-22").status == "at_risk", "week 47 may still reach it"
    missed = judged(numbers, by="2026-11-22", as_of=AS_OF + timedelta(days=7))
    assert (missed.status, missed.value) == ("off_track", 0.65)
    assert "due date" in missed.reason
