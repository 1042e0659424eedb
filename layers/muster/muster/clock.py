"""Time as a value that is passed in: a clock is a function that returns the present in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from muster.errors import BadSettings

Clock = Callable[[], datetime]
DAY = timedelta(days=1)
_PERIOD = re.compile(r"(\d{4})(?:-W(?P<week>\d\d?)|-Q(?P<quarter>[1-4])|-(?P<month>\d\d))?")


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
        is_plausible = 1900 < instant.year < 9999  # one further off has no instant in every zone
    except ValueError:
        is_plausible = False
    if not is_plausible:
        raise BadSettings(f"{text!r} is no date or time: write 2026-11-24 or 2026-11-24T09:00")
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    return instant.astimezone(UTC)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the local date ``day`` begins in ``zone``."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def period_start(day: date, grain: str) -> date:
    """The first day of the day, ISO week, month, quarter or year that ``day`` lies in.

    >>> period_start(date(2027, 1, 2), "week").isoformat()
    '2026-12-28'
    """
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": day.month - (day.month - 1) % 3, "year": 1}[grain]
    return date(day.year, month, 1)


def next_period(start: date, grain: str) -> date:
    """The first day of the period after the one that begins on ``start``."""
    longest = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[grain]
    return period_start(start + timedelta(days=longest), grain)


def last_whole_period(as_of: datetime, zone: ZoneInfo, grain: str) -> date:
    """The start of the last period that is over at ``as_of`` (exclusive)."""
    running = period_start((as_of - timedelta(microseconds=1)).astimezone(zone).date(), grain)
    if local_midnight(next_period(running, grain), zone) <= as_of:
        return running
    return period_start(running - DAY, grain)


def parse_period(text: str) -> tuple[str, date]:
    """The grain and first day of a period by its name.

    >>> parse_period("2026-W47")[1].isoformat(), parse_period("2026-Q4")[1].isoformat()
    ('2026-11-16', '2026-10-01')
    """
    try:
        grain, start = _period(text.strip())
        if 1900 < start.year < 9999:
            return grain, start
    except ValueError:
        pass
    raise BadSettings(
        f"{text!r} is no period: write 2026-W47, 2026-11, 2026-Q4, 2026 or 2026-11-23"
    )


def _period(text: str) -> tuple[str, date]:
    named = _PERIOD.fullmatch(text.upper())
    if named is None:
        return "day", date.fromisoformat(text)
    year = int(named[1])
    if named["week"]:
        return "week", date.fromisocalendar(year, int(named["week"]), 1)
    if named["quarter"]:
        return "quarter", date(year, int(named["quarter"]) * 3 - 2, 1)
    if named["month"]:
        return "month", date(year, int(named["month"]), 1)
    return "year", date(year, 1, 1)
