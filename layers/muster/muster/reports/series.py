"""KPI values go in, gapless series of whole periods come out: what is read, compared and drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from muster.clock import DAY, last_whole_period, local_midnight, next_period, period_start
from muster.measured import KpiValue
from muster.results import LATELY, Kpi, Reading

if TYPE_CHECKING:  # settings bring pydantic, which a report does not need
    from muster.settings import Windows

WHOLE = "all"
NEEDED = 6  # values before anything is read from them
#: Parts that mean nothing without their whole: a value of the quality index is none of its parts.
BARE_PARTS = frozenset({"inbound", "outreach", "satisfaction", "rating", "not refunded"})
Growth = Literal["none", "total", "wait", "heap"]
Key = tuple[str, str]
Known = dict[tuple[str, str], dict[str, dict[date, KpiValue]]]  # by KPI and grain, segment, start


@dataclass(frozen=True)
class Series:
    """One segment of a KPI, from its first value to the last whole period (None: no value).

    ``numbers`` are what an XmR chart reads: the values, or of a heap their changes. ``growth`` says
    how it grows without that being news: not at all; as a running total (followers), where what is
    new is another KPI's; as the wait of one whom hardly anybody answers any more; as a heap of what
    hardly ever goes away (issues nobody answers), where news is how much comes to it.
    ``waits`` is the window that must pass after a period, where it keeps the last whole one out.
    ``is_moving`` if the last value is of waits that may yet turn out longer. ``is_coarser`` if the
    periods are longer than those that were asked for.
    """

    kpi: Kpi
    segment: str
    grain: str
    starts: tuple[date, ...]
    values: tuple[KpiValue | None, ...]
    numbers: tuple[float | None, ...] = ()
    growth: Growth = "none"
    waits: timedelta | None = None
    is_moving: bool = False
    is_coarser: bool = False

    @property
    def is_of_another_period(self) -> bool:
        """Whether the last value is of another period than the report."""
        return bool(self.starts) and (self.waits is not None or self.is_coarser)

    @property
    def grows_by_itself(self) -> bool:
        """Whether it is larger nearly every period, and that is no news."""
        return self.growth in ("total", "wait")

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """What is possible of the numbers."""
        return (None, None) if self.growth == "heap" else (self.kpi.lowest, self.kpi.highest)

    @property
    def last(self) -> KpiValue | None:
        return self.values[-1] if self.values else None

    def at(self, start: date) -> KpiValue | None:
        """The value of the period that begins on ``start``."""
        return dict(zip(self.starts, self.values, strict=True)).get(start)

    def part(self, periods: slice, **changes: Any) -> Series:
        """Some of its periods; what they are read by stays what it is in the whole."""
        starts, values, numbers = self.starts[periods], self.values[periods], self.numbers[periods]
        return replace(self, starts=starts, values=values, numbers=numbers, **changes)


def all_series(
    kpis: Iterable[Kpi], values: Iterable[KpiValue], grain: str, as_of: datetime, zone: ZoneInfo
) -> Mapping[Key, Series]:
    """The series of every KPI by (id, segment), in the report's grain or the next coarser one.

    A KPI that has a whole ('all') gives that; one that is never summed gives each segment, but no
    ``BARE_PARTS``. A first period that began before anything was known of the KPI's table is part
    of one, and left out.
    """
    kpis = tuple(kpis)
    found: Known = {}
    for value in values:
        if not value.partial:
            segments = found.setdefault((value.kpi, value.grain), {})
            segments.setdefault(value.segment, {})[value.period_start] = value
    known_from = _known_from(kpis, found)
    series: dict[Key, Series] = {}
    for kpi in kpis:
        own = kpi.grain_at(grain)
        last = last_whole_period(as_of, zone, own)
        segments = found.get((kpi.id, own), {})
        for segment in [WHOLE] if WHOLE in segments else sorted(segments.keys() - BARE_PARTS):
            one = _gapless(kpi, segment, own, segments[segment], last)
            one = _of_whole_periods(one, known_from.get(kpi.table))
            one = replace(one, is_moving=_moves(one, as_of, zone), is_coarser=own != grain)
            series[kpi.id, segment] = _understood(one)
    return series


def _known_from(kpis: Iterable[Kpi], found: Known) -> Mapping[str, date]:
    """The first day that any KPI of a table has a value for."""
    first: dict[str, date] = {}
    for kpi in kpis:
        for days in found.get((kpi.id, "day"), {}).values():
            first[kpi.table] = min(first.get(kpi.table, date.max), *days)
    return first


def _of_whole_periods(series: Series, known_from: date | None) -> Series:
    """Without a first period of which only the end is known, if others follow; of a state the end
    is all there is to know."""
    is_state = series.kpi.statistic == "state" or series.kpi.from_days == "last"
    is_whole = known_from is None or series.starts[0] >= known_from
    if is_whole or is_state or not any(series.values[1:]):
        return series
    return series.part(slice(1, None))


def _understood(series: Series) -> Series:
    """With how it grows, and the numbers that it is read by."""
    levels = tuple(value.value if value else None for value in series.values)
    steps = (*([None] if levels else []), *(_step(*two) for two in pairwise(levels)))
    growth = _growth(series, steps)
    return replace(series, growth=growth, numbers=steps if growth == "heap" else levels)


def _step(before: float | None, now: float | None) -> float | None:
    return None if now is None or before is None else now - before


def _growth(series: Series, steps: Iterable[float | None]) -> Growth:
    kpi, last = series.kpi, series.last
    if kpi.from_days != "last":
        return "none"
    if kpi.table == "audience":
        return "total"
    if kpi.unit == "seconds" and last is not None and last.value > LATELY.total_seconds():
        return "wait"
    moves = [step for step in steps if step]
    is_heap = len(moves) >= NEEDED and sum(step < 0 for step in moves) * 4 <= len(moves)
    return "heap" if kpi.unit == "count" and is_heap else "none"


def _moves(series: Series, as_of: datetime, zone: ZoneInfo) -> bool:
    """Whether some who came in the last period have waited less than its value till ``as_of``."""
    kpi, last = series.kpi, series.last
    if kpi.statistic != "quantile" or kpi.unit != "seconds" or last is None:
        return False
    end_at = local_midnight(next_period(last.period_start, series.grain), zone)
    # Business hours come round within a week.
    longest = timedelta(seconds=last.value, days=7 if "business" in kpi.id else 0)
    return end_at + longest > as_of


def _gapless(
    kpi: Kpi, segment: str, grain: str, values: Mapping[date, KpiValue], last: date
) -> Series:
    starts = []
    start = min(values)
    while start <= last:
        starts.append(start)
        start = next_period(start, grain)
    return Series(kpi, segment, grain, tuple(starts), tuple(values.get(start) for start in starts))


def settled(
    series: Mapping[Key, Series],
    readings: Mapping[Key, Reading],
    windows: Windows,
    as_of: datetime,
    zone: ZoneInfo,
) -> tuple[Mapping[Key, Series], Mapping[Key, Reading]]:
    """Both up to the last period whose value no longer moves, where the KPI waits for a window."""
    kept, read = dict(series), dict(readings)
    for key, one in series.items():
        if one.kpi.settles:
            window = getattr(windows, one.kpi.settles)
            count = bisect_right(one.starts, last_whole_period(as_of - window, zone, one.grain))
            kept[key] = _first(one, count, window)
            read[key] = _first_read(readings[key], count)
    return kept, read


def _first(series: Series, count: int, waits: timedelta) -> Series:
    if count == len(series.starts):
        return series
    return series.part(slice(count), waits=waits)


def _first_read(reading: Reading, count: int) -> Reading:
    """The reading of the first periods: what was left out had no value, so it changed nothing."""
    limits = tuple(
        replace(one, end=min(one.end, count)) for one in reading.limits if one.start < count
    )
    return replace(reading, limits=limits, rules=reading.rules[:count], sides=reading.sides[:count])


def before(start: date, grain: str) -> date:
    """The period before."""
    return period_start(start - DAY, grain)


def year_before(start: date, grain: str) -> date:
    """The same period a year before; of days and weeks the same ISO week and weekday.

    Week 53 stands beside the last week of the other year.
    """
    if grain in ("day", "week"):
        year, week, weekday = start.isocalendar()
        last_week = date(year - 1, 12, 28).isocalendar().week
        return date.fromisocalendar(year - 1, min(week, last_week), weekday)
    return start.replace(year=start.year - 1)


def quarter_so_far(series: Series) -> float | None:
    """The mean of the quarter's values up to and with the last period; None for long periods, and
    where no other period of the quarter has a value to compare with.

    A week belongs to the quarter its Thursday lies in, as ISO weeks belong to years.
    """
    if series.grain in ("quarter", "year") or not series.starts:
        return None
    quarter = _quarter(series.starts[-1], series.grain)
    within = [
        value.value
        for start, value in zip(series.starts, series.values, strict=True)
        if value and _quarter(start, series.grain) == quarter
    ]
    return sum(within) / len(within) if len(within) > 1 else None


def _quarter(start: date, grain: str) -> date:
    return period_start(start + timedelta(days=3 if grain == "week" else 0), "quarter")
