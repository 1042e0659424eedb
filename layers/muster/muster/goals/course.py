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
class Outlook:
    """Where the trend leads: the value on the due date, and the day it comes to the target.

    ``arrives_on`` is only told of a trend that is not there yet and on its way there.
    """

    projected: float | None = None
    arrives_on: date | None = None


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


def outlook(course: Course) -> Outlook:
    """None of both once the due date is over, or without a trend."""
    trend = None if course.is_due else course.trend()
    if trend is None:
        return Outlook()
    day = None if course.is_met_by(trend.value) else trend.reaches(course.target)
    return Outlook(possible(trend.on(course.ends), course.kpi), day - DAY if day else None)


def verdict(course: Course, value: float, ahead: Outlook) -> tuple[str, str]:
    arrives = ahead.projected is not None and course.is_met_by(ahead.projected)
    leads = _leads(course, ahead)
    if course.is_met_by(value):
        return "met", "The value meets the target."
    if course.is_due:
        return "off_track", "The due date has passed and the target was not reached."
    if course.is_met_by(course.base):
        return _slipped(course, arrives, leads)
    behind = course.behind(value)
    if behind <= _NOISE:
        return "on_track", "The value keeps the straight pace to the target."
    if arrives:
        return "at_risk", f"The value is behind the pace; {leads}."
    if behind <= LEEWAY:
        return (
            "at_risk",
            f"The value is behind the pace by less than a quarter of the way; {leads}.",
        )
    return "off_track", (
        f"The value is behind the pace by more than a quarter of the way; {leads}."
    )


def _leads(course: Course, ahead: Outlook) -> str:
    """What reports say of the same facts, in words without numbers."""
    if ahead.projected is None:
        return "there are too few values for a trend"
    if ahead.arrives_on is not None:
        is_late = ahead.arrives_on >= course.ends
        return f"the present trend arrives {'too late' if is_late else 'in time'}"
    if course.is_met_by(ahead.projected):
        return "the present trend still meets the target"
    return "the present trend does not lead to the target"


def _slipped(course: Course, arrives: bool, leads: str) -> tuple[str, str]:
    """A goal that began beyond its target and no longer is."""
    before = course.series[-2][1] if len(course.series) > 1 else course.base
    if course.is_met_by(before):
        return "at_risk", f"The target was met so far; this period it was missed; {leads}."
    return "at_risk" if arrives else "off_track", f"The target was met once; {leads}."


def possible(value: float, kpi: Kpi) -> float:
    """A straight line knows no bounds; the KPI does."""
    low = -inf if kpi.lowest is None else kpi.lowest
    high = inf if kpi.highest is None else kpi.highest
    return min(high, max(low, value))
