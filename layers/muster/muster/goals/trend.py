"""Values by day go in, the straight line through them by Theil–Sen comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
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
        """The first day after ``at`` on which it is at ``target``; None if not in ten years."""
        way = target - self.value
        if self.per_day == 0 or way / self.per_day < 0:
            return None
        days = -(-way // self.per_day)
        return self.at + timedelta(days=int(days)) if days <= _FARTHEST.days else None


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
