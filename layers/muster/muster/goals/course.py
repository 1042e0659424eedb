"""A goal's start, target and values go in; how it stands against the straight pace comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import inf

from muster.clock import DAY, next_period, period_start
from muster.goals.trend import Trend, theil_sen
from muster.results import Kpi

TREND_PERIODS = 8
# How much of the whole way may be missing against the pace before a goal is off track.
LEEWAY = 0.25
_NOISE = 1e-9

Series = Sequence[tuple[date, float]]


@dataclass(frozen=True)
class Course:
    """Where a goal comes from, where it shall be by when, and what its KPI did so far."""

    kpi: Kpi
    grain: str
    period: date
    is_due: bool
    series: Series
    begins: date
    base: float
    target: float
    ends: date
    is_upward: bool

    @property
    def now(self) -> date:
        """The day the judged period is over."""
        return next_period(self.period, self.grain)

    def is_met_by(self, value: float) -> bool:
        noise = _NOISE * max(abs(value), abs(self.target))
        ahead = value - self.target if self.is_upward else self.target - value
        return ahead >= -noise

    @property
    def expected(self) -> float:
        """What the straight pace asks for by now."""
        if self.is_met_by(self.base) or self.ends <= self.begins:
            return self.target
        gone = (self.now - self.begins) / (self.ends - self.begins)
        return self.base + (self.target - self.base) * min(1.0, max(0.0, gone))

    def behind(self, value: float) -> float:
        """How far the value is behind the pace, as a part of the whole way."""
        missing = self.expected - value if self.is_upward else value - self.expected
        way = abs(self.target - self.base)
        return missing / way if way else inf

    def trend(self) -> Trend | None:
        recent = self.period
        for _ in range(TREND_PERIODS - 1):
            recent = period_start(recent - DAY, self.grain)
        return theil_sen(
            [(next_period(start, self.grain), value) for start, value in self.series
             if start >= recent]
        )  # fmt: skip


def verdict(course: Course, value: float, projected: float | None) -> tuple[str, str]:
    arrives = projected is not None and course.is_met_by(projected)
    if course.is_met_by(value):
        return "met", "The value meets the target."
    if course.is_due:
        return "off_track", "The due date has passed and the target was not reached."
    if course.is_met_by(course.base):
        return _slipped(course, arrives)
    behind = course.behind(value)
    if behind <= _NOISE:
        return "on_track", "The value keeps the straight pace to the target."
    if arrives:
        return "at_risk", "The value is behind the pace; the present trend still arrives in time."
    if behind <= LEEWAY:
        return "at_risk", "The value is behind the pace by less than a quarter of the way."
    return "off_track", (
        "The value is behind the pace by more than a quarter of the way, and the present trend "
        "does not arrive in time."
    )


def _slipped(course: Course, arrives: bool) -> tuple[str, str]:
    """A goal that began beyond its target and no longer is."""
    before = course.series[-2][1] if len(course.series) > 1 else course.base
    if course.is_met_by(before):
        return "at_risk", "The target was met so far; this period it was missed."
    if arrives:
        return "at_risk", "The target was met once; the present trend leads back to it in time."
    return "off_track", "The target was met once, and the present trend does not lead back to it."


def possible(value: float, kpi: Kpi) -> float:
    """A straight line knows no bounds; the KPI does."""
    low = -inf if kpi.lowest is None else kpi.lowest
    high = inf if kpi.highest is None else kpi.highest
    return min(high, max(low, value))
