"""A grain, a time zone and a span → its periods: local dates and the instants of their ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from muster.clock import DAY, local_midnight


@dataclass(frozen=True)
class Period:
    """One period; the running one ends at ``as_of`` (``end_on`` is then the day after its date)."""

    period_start: date
    end_on: date
    start_at: datetime
    end_at: datetime
    is_partial: bool


def periods(grain: str, zone: ZoneInfo, first: datetime, as_of: datetime) -> Iterator[Period]:
    """The periods from the one that holds ``first`` to the one before ``as_of`` (exclusive).

    Weeks are ISO weeks; dates are those of ``zone``.
    """
    last_on = (as_of - timedelta(microseconds=1)).astimezone(zone).date()
    day = start_of(grain, first.astimezone(zone).date())
    while (start_at := local_midnight(day, zone)) < as_of:
        following = start_of(grain, day + timedelta(days=_BEYOND[grain]))
        end_at = local_midnight(following, zone)
        yield Period(
            day, min(following, last_on + DAY), start_at, min(end_at, as_of), end_at > as_of
        )
        day = following


def start_of(grain: str, day: date) -> date:
    """The first day of the period that holds ``day``."""
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[grain]
    return day.replace(month=month, day=1)


_BEYOND = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


def naive(at: datetime) -> datetime:
    """An aware instant as the engine's plain UTC timestamp."""
    return at.astimezone(UTC).replace(tzinfo=None)
