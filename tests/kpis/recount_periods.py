"""Dates and hours once more: periods, the zeros that are vouched for, working hours in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from muster.measured import Coverage

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
START_OF: dict[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "quarter": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    "year": lambda day: day.replace(month=1, day=1),
}


class Period:
    """One period of a grain: its local days and the instants between which it lies."""

    def __init__(self, grain: str, start: date, zone: ZoneInfo, as_of: datetime) -> None:
        following = start
        while START_OF[grain](following) == start:
            following += DAY
        self.grain, self.start, self.following = grain, start, following
        self.start_at, whole = midnight(start, zone), midnight(following, zone)
        self.end_at, self.is_partial = min(whole, as_of), whole > as_of

    def has(self, day: date) -> bool:
        return self.start <= day < self.following

    def is_covered(self, spans: Sequence[Coverage]) -> bool:
        return any(one.from_at <= self.start_at and one.to_at >= self.end_at for one in spans)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def periods(grain: str, zone: ZoneInfo, first: datetime, as_of: datetime) -> Iterator[Period]:
    day = START_OF[grain](first.astimezone(zone).date())
    while midnight(day, zone) < as_of:
        yield (one := Period(grain, day, zone, as_of))
        day = one.following


class Hours:
    """The working hours of a community or a source, as instants from and to."""

    def __init__(
        self, schedules: Sequence[Mapping[str, Any]], zone: ZoneInfo, first: date, last: date
    ) -> None:
        days = (first + DAY * n for n in range((last - first).days))
        self.spans = [one for day in days for one in self._of(day, schedules, zone)]

    def _of(
        self, day: date, schedules: Sequence[Mapping[str, Any]], zone: ZoneInfo
    ) -> Iterator[tuple[datetime, datetime]]:
        held = [one for one in schedules if one.get("valid_from", "0") <= str(day)]
        if not held or str(day) in held[-1].get("closed", ()):
            return
        for days, ranges in held[-1]["hours"].items():
            first, _, last = days.partition("-")
            if WEEKDAYS.index(first) <= day.weekday() <= WEEKDAYS.index(last or first):
                for one in ranges:
                    start, end = one.split("-")
                    yield _at(day, start, zone), _at(day + DAY * (end <= start), end, zone)

    def inside(self, at: datetime) -> bool:
        return any(start <= at < end for start, end in self.spans)

    def between(self, start: datetime, end: datetime) -> float:
        """Seconds of work between two instants."""
        parts = (min(end, b) - max(start, a) for a, b in self.spans if a < end and b > start)
        return sum((one.total_seconds() for one in parts), 0.0)


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        return midnight(day + DAY, zone)
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)
