"""Business hours of the settings → the calendar cut into pieces, with working seconds so far.

Business time between two instants is F(b) - F(a), where F counts the working seconds up to an
instant. Pieces never cross a UTC day, so F is one equi-join on the day away from any instant.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import chain
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from muster.clock import DAY, local_midnight
from muster.errors import BadSettings
from muster.names import nearest
from muster.settings import Schedule, weekdays

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Piece:
    """A stretch inside one UTC day, half-open, that is working time or not."""

    day: date
    start_at: datetime
    end_at: datetime
    is_working: bool
    seconds_before: float


def pieces(
    schedules: Sequence[Schedule], zone: ZoneInfo, first: datetime, last: datetime
) -> Iterator[Piece]:
    """The calendar from ``first`` to ``last`` without holes; nothing before the first schedule."""
    start = max(first, _begins(schedules, zone)) if schedules else last
    working = [
        (max(begin, start), min(end, last))
        for begin, end in intervals(schedules, zone, start.date() - 2 * DAY, last.date() + 2 * DAY)
        if begin < last and end > start
    ]
    seconds = 0.0
    for begin, end, is_working in _with_gaps(working, start, last):
        for from_at, to_at in by_utc_day(begin, end):
            yield Piece(from_at.date(), from_at, to_at, is_working, seconds)
            seconds += (to_at - from_at).total_seconds() if is_working else 0


def intervals(schedules: Sequence[Schedule], zone: ZoneInfo, first: date, last: date) -> list[Span]:
    """Working intervals (UTC, half-open, merged) of the shifts that start on these local dates.

    A shift over midnight belongs to the day it starts on, whole: a holiday on that day removes all
    of it, a holiday on the next day nothing.
    """
    in_order = sorted(schedules, key=_valid_from)
    starts = [_valid_from(schedule) for schedule in in_order]
    found: list[Span] = []
    for number in range((last - first).days + 1):
        day = first + number * DAY
        place = bisect_right(starts, day)
        if place:
            found += _shifts(in_order[place - 1], day, zone)
    return _merged(found)


def _shifts(schedule: Schedule, day: date, zone: ZoneInfo) -> Iterator[Span]:
    if day in schedule.closed or day in _holidays(schedule.country, schedule.region):
        return
    for days, ranges in schedule.hours.items():
        if day.weekday() in weekdays(days):
            for text in ranges:
                yield from _in_utc(*_local(day, text), zone)


def _local(day: date, text: str) -> Span:
    """The naive local start and end of a range; an end not after its start is the next day's."""
    opens, closes = text.split("-")
    start = datetime.combine(day, time.fromisoformat(opens))
    if closes == "24:00":
        return start, datetime.combine(day + DAY, time())
    end = datetime.combine(day, time.fromisoformat(closes))
    return start, end if end > start else end + DAY


def _in_utc(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Span]:
    """The instants whose local clock reads from ``start`` to before ``end``, in real length.

    A range whose bound lies in a night's repeated hour may give two spans, one in a skipped hour
    a shorter one.
    """
    early = (start - 2 * DAY).replace(tzinfo=zone).astimezone(UTC)
    late = (end + 2 * DAY).replace(tzinfo=zone).astimezone(UTC)
    before, after = (_offset(at, zone) for at in (early, late))
    if before == after:
        yield (start - before).replace(tzinfo=UTC), (end - before).replace(tzinfo=UTC)
        return
    turn = _turn(early, late, zone)
    first = (start - before).replace(tzinfo=UTC), min(turn, (end - before).replace(tzinfo=UTC))
    second = max(turn, (start - after).replace(tzinfo=UTC)), (end - after).replace(tzinfo=UTC)
    yield from (span for span in (first, second) if span[0] < span[1])


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _turn(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (whole seconds) at which the later offset holds."""
    low, high = 0, int((late - early).total_seconds())
    after = _offset(late, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(early + timedelta(seconds=middle), zone) == after:
            high = middle
        else:
            low = middle
    return early + timedelta(seconds=high)


def accept(schedule: Schedule) -> None:
    """``BadSettings`` for a country or region whose holidays nobody knows."""
    _holidays(schedule.country, schedule.region)


@cache
def _holidays(country: str | None, region: str | None) -> Any:
    if country is None:
        return frozenset()
    import holidays

    _import_only_who_is_asked(holidays)
    words = chain(*holidays.registry.COUNTRIES.values())
    countries = [word for word in words if not word.startswith("Holidays")]
    if country not in countries:  # it may still be a word that the package has for something else
        raise _unknown(
            repr(country), country, countries, "write a country as ISO 3166 does: DE, US"
        )
    try:
        return holidays.country_holidays(country, subdiv=region)
    except NotImplementedError as error:
        there = getattr(holidays, country)
        regions = (*there.subdivisions, *there.subdivisions_aliases)
        raise _unknown(f"{region!r} of {country}", region or "", regions) from error


def _unknown(what: str, word: str, known: Iterable[str], where: str = "") -> BadSettings:
    words = {one.casefold(): one for one in known}
    meant = nearest(words.get(word.casefold(), word), words.values(), where)
    return BadSettings(f"business_hours: no holidays known for {what}: {meant}")


def _import_only_who_is_asked(holidays: ModuleType) -> None:
    """Stand a bare package in for the one that imports all 250 countries: a tenth of a second."""
    bare = ModuleType("holidays.countries")
    bare.__path__ = [f"{path}/countries" for path in holidays.__path__]
    sys.modules.setdefault(bare.__name__, bare)


def _valid_from(schedule: Schedule) -> date:
    return schedule.valid_from or date.min


def _begins(schedules: Iterable[Schedule], zone: ZoneInfo) -> datetime:
    first = min(map(_valid_from, schedules))
    return local_midnight(first, zone) if first > date.min else datetime.min.replace(tzinfo=UTC)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _with_gaps(
    working: Iterable[Span], first: datetime, last: datetime
) -> Iterator[tuple[datetime, datetime, bool]]:
    reached = first
    for start, end in working:
        if start > reached:
            yield reached, start, False
        yield start, end, True
        reached = end
    if reached < last:
        yield reached, last, False


def by_utc_day(start: datetime, end: datetime) -> Iterator[Span]:
    """A span cut at the midnights of UTC."""
    while start < end:
        midnight = datetime.combine(start.date() + DAY, time(), UTC)
        yield start, min(end, midnight)
        start = min(end, midnight)
