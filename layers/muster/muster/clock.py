"""Time as a value that is passed in: a clock is a function that returns the present in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from muster.errors import BadSettings

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present in UTC."""
    return datetime.now(UTC)


def fixed_clock(at: datetime) -> Clock:
    """A clock that always says ``at`` (aware)."""
    return lambda: at.astimezone(UTC)


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """An ISO 8601 date or time as UTC; without an offset it is local to ``zone``.

    >>> parse_instant("2026-03-01", ZoneInfo("Europe/Berlin")).isoformat()
    '2026-02-28T23:00:00+00:00'
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadSettings(
            f"{text!r} is no date or time: write 2026-11-24 or 2026-11-24T09:00"
        ) from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    return instant.astimezone(UTC)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the local date ``day`` begins in ``zone``."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


DAY = timedelta(days=1)
