"""A grain, a time zone and a span → its periods: local dates and the instants of their ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from muster.clock import DAY, local_midnight, next_period, period_start


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
    day = period_start(first.astimezone(zone).date(), grain)
    while (start_at := local_midnight(day, zone)) < as_of:
        following = next_period(day, grain)
        end_at = local_midnight(following, zone)
        yield Period(
            day, min(following, last_on + DAY), start_at, min(end_at, as_of), end_at > as_of
        )
        day = following


def naive(at: datetime) -> datetime:
    """An aware instant as the engine's plain UTC timestamp."""
    return at.astimezone(UTC).replace(tzinfo=None)
