"""Values by day go in, the straight line through them by Theil–Sen comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from math import ceil
from statistics import median

FEWEST = 4
_FARTHEST = timedelta(days=3653)


@dataclass(frozen=True)
class Trend:
    """``value + per_day`` a day after ``at``."""

    at: date
    value: float
    per_day: float

    def on(self, day: date) -> float:
        """The value the trend has on ``day``."""
        return self.value + self.per_day * (day - self.at).days

    def reaches(self, target: float) -> date | None:
        """The first day from ``at`` on that finds it at ``target``, from whichever side it comes;
        None if not in ten years."""
        days = (target - self.value) / self.per_day if self.per_day else -1.0
        if not 0 <= days <= _FARTHEST.days:
            return None
        # Without the rounding a hair of a float would cost a day.
        return self.at + timedelta(days=ceil(round(days, 6)))


def theil_sen(points: Sequence[tuple[date, float]]) -> Trend | None:
    """The median of the slopes of all pairs, through the median of what is left of each point.

    After Sen (1968); one outlier among eight does not turn it. ``points`` are in order of time;
    the line is anchored at the last. None for fewer than 4.
    """
    if len(points) < FEWEST:
        return None
    at = points[-1][0]
    slope = median(
        (later - earlier) / (end - start).days
        for (start, earlier), (end, later) in combinations(points, 2)
    )
    value = median(value - slope * (day - at).days for day, value in points)
    return Trend(at, value, slope)
