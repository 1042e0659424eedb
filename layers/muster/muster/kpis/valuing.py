"""KPIs and the periods of one grain → their rows in ``kpi_values``, or why one has none.

A KPI's SQL is run over the periods; or, where its header says how a longer period's value follows
from those of its days (``from_days``), it is run over days once and the longer periods follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import duckdb

from muster.errors import BadKpi
from muster.kpis import checking, given, steps
from muster.kpis.engine import is_replaced
from muster.kpis.typed import quoted
from muster.results import Kpi

Find = Callable[[str, Mapping[str, Any]], None]

# What one KPI yields; no data is no value.
_NO_FAULT = (duckdb.IOException, duckdb.OutOfMemoryException)
_READS_FILES = re.compile(r"\bread_\w+\s*\(")  # its own: what the lake holds has names
_ROWS = """
select
    cast(period_start as date) as period_start,
    cast(segment as varchar) as segment,
    cast(value as double) as value,
    cast(n as bigint) as n
from ({sql}
)
where value is not null
"""
_TIMES = "count(*) over (partition by {of}period_start, segment) as times"
FOUND = f"select *, {_TIMES.format(of='')} from ({_ROWS})"
_ALL_FOUND = f"select *, {_TIMES.format(of='kpi, ')} from ({{each}})"
_NONE_FOUND = """
create or replace temp table all_found (
    kpi varchar, period_start date, segment varchar, value double, n bigint, times bigint
)
"""
_VALUES = """
create or replace temp table {name} (
    kpi varchar, period_start date, segment varchar, value double, n bigint
)
"""
_TELL = """
insert into {name}
select kpi, period_start, segment, value, n from all_found where kpi in ({kpis})
"""
_TELL_OTHERS = """
insert into day_values
select kpi, period_start, segment, value, n
from {others}
where kpi in ({kpis})
    and period_start in (select period_start from every_period where grain = 'day')
    and period_start not in (select period_start from periods)
"""
_ROLL = """
insert into told_values
with
dates as (
    select
        periods.period_start,
        days.period_start as day,
        days.end_on = periods.end_on as is_last
    from periods
    join every_period as days
        on days.grain = 'day'
        and days.period_start >= periods.period_start
        and days.period_start < periods.end_on
)
select
    told_kpis.kpi,
    dates.period_start,
    day_values.segment,
    case told_kpis.from_days
        when 'sum' then sum(day_values.value)
        when 'mean' then sum(day_values.value * day_values.n) / nullif(sum(day_values.n), 0)
        else min(case when dates.is_last then day_values.value end)
    end,
    case told_kpis.from_days
        when 'last' then min(case when dates.is_last then day_values.n end)
        else sum(day_values.n)
    end
from told_kpis
join day_values
    on day_values.kpi = told_kpis.kpi
join dates
    on dates.day = day_values.period_start
where told_kpis.from_days <> ''
group by told_kpis.kpi, told_kpis.from_days, dates.period_start, day_values.segment
"""
TOLD_KPIS: Mapping[str, str] = {
    "kpi": "varchar", "version": "bigint", "table_name": "varchar", "zero": "varchar",
    "is_estimate": "boolean", "settled_at": "timestamp", "from_days": "varchar",
}  # fmt: skip
# A count is 0 where a success covers the whole period and nothing was found. Sums of parallel
# threads differ in their last bits: rounded, the same lake gives the same bytes.
INSERT = """
insert into kpi_values
with
known as (
    select * from told_values where value is not null
),
zeros as (
    select distinct
        told_kpis.kpi,
        periods.period_start,
        case when told_kpis.zero = 'all' then 'all' else covered_spans.source end as segment
    from told_kpis
    join covered_spans
        on covered_spans.table_name = told_kpis.table_name
    join periods
        on covered_spans.from_at <= periods.start_at and covered_spans.to_at >= periods.end_at
    where told_kpis.zero is not null
),
every as (
    select kpi, period_start, segment, round(value, 9) as value, n from known
    union all
    select zeros.kpi, zeros.period_start, zeros.segment, 0, 0
    from zeros
    left join known
        on known.kpi = zeros.kpi
        and known.period_start = zeros.period_start
        and known.segment = zeros.segment
    where known.segment is null
)
select
    every.kpi, told_kpis.version, $grain, every.period_start, every.segment, every.value, every.n,
    told_kpis.is_estimate and every.n < $min_n,
    periods.is_partial or periods.end_at > told_kpis.settled_at
from every
join told_kpis on told_kpis.kpi = every.kpi
join periods on periods.period_start = every.period_start
"""


class Days:
    """The values by day that longer periods follow from, of the KPIs whose days are sound."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, kpis: Iterable[str]) -> None:
        self._connection, self._waiting, self._kept = connection, set(kpis), set[str]()
        connection.execute(_VALUES.format(name="day_values"))

    def wants(self, kpi: Kpi, grain: str) -> bool:
        """Whether the KPI's days are still to be kept, and these are days."""
        return grain == "day" and kpi.id in self._waiting

    def has(self, kpi: Kpi) -> bool:
        """Whether the KPI's longer periods can follow from its days."""
        return kpi.id in self._kept

    def keep(self, kpis: Iterable[Kpi], others: str = "") -> None:
        """Keep what is in ``all_found`` as these KPIs' values by day.

        Where it has only some days, the table ``others`` has the values of all the rest.
        """
        names = {kpi.id for kpi in kpis}
        listed = {"kpis": _listed(names)}
        self._connection.execute(_TELL.format(name="day_values", **listed))
        if others:
            self._connection.execute(_TELL_OTHERS.format(others=others, **listed))
        self._kept |= names
        self._waiting -= names


def measure(
    connection: duckdb.DuckDBPyConnection,
    kpis: Iterable[Kpi],
    grain: str,
    parameters: Mapping[str, Any],
    days: Days,
    find: Find | None = None,
) -> Iterator[str]:
    """Add the values of KPIs for the table ``periods``; yields a line for each that fails.

    ``find`` makes the table ``found`` of a statement's rows, where DuckDB is not to run it itself.
    """
    asked = tuple(kpis)
    rolled = {kpi.id for kpi in asked if days.has(kpi)}
    counted = [kpi for kpi in asked if kpi.id not in rolled]
    sound = yield from _look(connection, counted, grain, parameters, find)
    days.keep(kpi for kpi in sound if days.wants(kpi, grain))
    known = {*rolled, *(kpi.id for kpi in sound)}
    told = [kpi for kpi in asked if grain in kpi.grains and kpi.id in known]
    connection.execute(_VALUES.format(name="told_values"))
    listed = _listed(kpi.id for kpi in told)
    connection.execute(_TELL.format(name="told_values", kpis=listed))
    rows = [facts(kpi, parameters, kpi.id in rolled) for kpi in told]
    given.fill(connection, "told_kpis", TOLD_KPIS, rows)
    if rolled:
        connection.execute(_ROLL)
    connection.execute(INSERT, {"grain": grain, "min_n": parameters["min_n"]})


def measure_days(
    connection: duckdb.DuckDBPyConnection,
    kpis: Sequence[Kpi],
    parameters: Mapping[str, Any],
    days: Days,
    others: str,
) -> Iterator[str]:
    """Keep KPIs' values of the days in ``periods``, and of the table ``others`` all other days;
    yields a line for each that fails."""
    sound = yield from _look(connection, kpis, "day", parameters)
    days.keep(sound, others)


def _look(
    connection: duckdb.DuckDBPyConnection,
    kpis: Sequence[Kpi],
    grain: str,
    parameters: Mapping[str, Any],
    find: Find | None = None,
) -> Generator[str, None, list[Kpi]]:
    """Make the table ``all_found`` of what KPIs yield; a line says why where one cannot be used.

    Returns the others. One statement for all costs half of what one for each does.
    """
    able = list(kpis)
    if find or not _looked_at_once(connection, kpis, parameters):
        able = yield from _one_by_one(connection, kpis, parameters, find)
    broken = checking.broken(connection, able, grain)
    for kpi in able:
        if kpi.id in broken and grain in kpi.grains:
            said = broken[kpi.id][0]
            yield f"KPI {kpi.id}, by {grain}: {said}; left out until {kpi.id}.sql is mended"
    return [kpi for kpi in able if kpi.id not in broken]


def _looked_at_once(
    connection: duckdb.DuckDBPyConnection, kpis: Sequence[Kpi], parameters: Mapping[str, Any]
) -> bool:
    """Whether one statement could be made of them all; if not, some KPI cannot be run."""
    each = (f"select {quoted(kpi.id)} as kpi, * from ({_ROWS.format(sql=kpi.sql)})" for kpi in kpis)
    sql = _ALL_FOUND.format(each="\nunion all\n".join(each))
    try:
        steps.run(connection, "all_found", sql, parameters)
    except (duckdb.Error, BadKpi):
        return False
    return True


def _one_by_one(
    connection: duckdb.DuckDBPyConnection,
    kpis: Sequence[Kpi],
    parameters: Mapping[str, Any],
    find: Find | None,
) -> Generator[str, None, list[Kpi]]:
    """The same, KPI after KPI: those that can be run."""
    able = []
    connection.execute(_NONE_FOUND)
    for kpi in kpis:
        try:
            sql = FOUND.format(sql=kpi.sql)
            find(sql, parameters) if find else steps.run(connection, "found", sql, parameters)
        except (duckdb.Error, BadKpi) as error:
            is_lakes = isinstance(error, _NO_FAULT) or is_replaced(error)
            if is_lakes and not _READS_FILES.search(kpi.sql):
                raise  # The lake could not be read, or held: that is no KPI's fault.
            yield f"KPI {kpi.id}: its SQL cannot be run: {' '.join(str(error).split())[:300]}"
            continue
        connection.execute("insert into all_found select $kpi, * from found", {"kpi": kpi.id})
        able.append(kpi)
    return able


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, sorted(names))) or "''"


def facts(kpi: Kpi, parameters: Mapping[str, Any], is_rolled: bool) -> tuple[Any, ...]:
    """What of a KPI its rows in ``kpi_values`` are made with, as in ``TOLD_KPIS``."""
    window = timedelta(seconds=parameters[f"longest_{kpi.settles}"] if kpi.settles else 0)
    is_estimate = kpi.statistic in ("mean", "quantile", "ratio")
    settled_at = parameters["as_of"] - window
    way = kpi.from_days if is_rolled else ""
    return kpi.id, kpi.version, kpi.table, kpi.zero, is_estimate, settled_at, way
