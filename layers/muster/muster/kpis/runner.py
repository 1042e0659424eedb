"""A lake's connection, settings and KPIs → every value of every period, and who still waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from muster.errors import BadKpi
from muster.kpis import checking, given, steps
from muster.kpis.catalogue import GRAINS
from muster.kpis.derived import write_tables
from muster.kpis.periods import naive
from muster.records import Coverage, KpiValue
from muster.results import Kpi, SuspectedBots, WaitingIssue
from muster.settings import Settings

_KPI_VALUES = """
create or replace temp table kpi_values (
    kpi varchar, version bigint, grain varchar, period_start date, segment varchar,
    value double, n bigint, too_few boolean, partial boolean
)
"""
_PERIODS = """
create or replace temp table periods as
select period_start, end_on, start_at, end_at, is_partial from every_period where grain = $grain
"""
# What one KPI yields; no data is no value. Sums of parallel threads differ in their last bits:
# rounded, the same lake gives the same bytes.
_FOUND = """
select
    cast(period_start as date) as period_start,
    cast(segment as varchar) as segment,
    round(cast(value as double), 9) as value,
    cast(n as bigint) as n,
    count(*) over (partition by period_start, segment) as times
from ({sql}
)
where value is not null
"""
# A count is 0 where a success covers the whole period and nothing was found.
_INSERT = """
insert into kpi_values
with
zeros as (
    select distinct
        periods.period_start,
        case when $zero = 'all' then 'all' else covered_spans.source end as segment
    from periods
    join covered_spans
        on covered_spans.table_name = $table_name
        and covered_spans.from_at <= periods.start_at
        and covered_spans.to_at >= periods.end_at
    where $zero is not null
),
every as (
    select period_start, segment, value, n from found
    union all
    select zeros.period_start, zeros.segment, 0, 0
    from zeros
    left join found
        on found.period_start = zeros.period_start and found.segment = zeros.segment
    where found.segment is null
)
select
    $kpi, $version, $grain, every.period_start, every.segment, every.value, every.n,
    $is_estimate and every.n < $min_n, periods.is_partial or periods.end_at > $settled_at
from every
join periods on periods.period_start = every.period_start
"""


@dataclass(frozen=True)
class Outcome:
    """One measuring: ``problems`` names each KPI that failed, with the reason; the others stand."""

    values: tuple[KpiValue, ...]
    waiting: tuple[WaitingIssue, ...]
    problems: tuple[str, ...]
    suspected: SuspectedBots = SuspectedBots()


def measure(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    kpis: Iterable[Kpi],
    *,
    as_of: datetime,
    coverage: Iterable[Coverage],
    write: Callable[[str, bytes], object] | None = None,
) -> Outcome:
    """Every KPI in every period that began before ``as_of`` (exclusive).

    ``connection`` is fresh from :func:`muster.kpis.engine.connect`. ``write(key, bytes)`` receives
    each derived table as ``tables/<name>/part-0.parquet``.
    A KPI whose setting in ``needs`` is empty has no values.
    """
    wanted = [kpi for kpi in kpis if all(getattr(settings, need) for need in kpi.needs)]
    given.check_patterns(connection, settings)
    given.prepare(connection, settings, as_of, tuple(coverage), GRAINS)
    connection.execute(_KPI_VALUES)
    problems = list(_measure_all(connection, wanted, given.parameters(settings, as_of)))
    if write is not None:
        write_tables(connection, write)
    values, waiting = tuple(_values(connection)), tuple(_waiting(connection))
    return Outcome(values, waiting, tuple(dict.fromkeys(problems)), _suspected(connection, as_of))


def _measure_all(
    connection: duckdb.DuckDBPyConnection, kpis: list[Kpi], parameters: Mapping[str, Any]
) -> Iterator[str]:
    """Fill ``kpi_values`` grain by grain; yields a line for each KPI that fails."""
    shared = steps.load()
    order = steps.needed([*(kpi.sql for kpi in kpis), "from waiting"], shared)
    by_grain = steps.each_grain(order, shared)
    for name in order:
        if name not in by_grain:
            steps.run(connection, name, shared[name], parameters)
    for grain in GRAINS:
        connection.execute(_PERIODS, {"grain": grain})
        for name in by_grain:
            steps.run(connection, name, shared[name], parameters)
        for kpi in kpis:
            if grain in kpi.grains:
                yield from _measure_one(connection, kpi, grain, parameters)


def _measure_one(
    connection: duckdb.DuckDBPyConnection, kpi: Kpi, grain: str, parameters: Mapping[str, Any]
) -> Iterator[str]:
    try:
        steps.run(connection, "found", _FOUND.format(sql=kpi.sql), parameters)
        promises = list(checking.broken(connection, kpi))
    except (duckdb.Error, BadKpi) as error:
        yield f"KPI {kpi.id}: its SQL cannot be run: {' '.join(str(error).split())[:300]}"
        return
    if promises:
        yield f"KPI {kpi.id}, by {grain}: {promises[0]}; left out until {kpi.id}.sql is mended"
        return
    facts = {"kpi": kpi.id, "version": kpi.version, "grain": grain, "table_name": kpi.table}
    facts |= {"zero": kpi.zero, "is_estimate": kpi.statistic in ("mean", "quantile", "ratio")}
    window = timedelta(seconds=parameters[f"longest_{kpi.settles}"] if kpi.settles else 0)
    facts |= {"settled_at": parameters["as_of"] - window}
    connection.execute(_INSERT, steps.used(_INSERT, {**parameters, **facts}))


def _values(connection: duckdb.DuckDBPyConnection) -> Iterator[KpiValue]:
    order = "select * from kpi_values order by kpi, grain, period_start, segment"
    found = connection.execute(order)
    names = [column[0] for column in found.description or ()]
    for row in found.fetchall():
        yield KpiValue(**dict(zip(names, row, strict=True)))


_LEFT_OUT = """
select count(distinct suspected.source || ' ' || suspected.member_id), count(messages.message_id)
from (select distinct source, member_id from suspected_accounts) as suspected
left join messages
    on messages.source = suspected.source
    and messages.author_id = suspected.member_id
    and messages.created_at < $as_of
    and messages.deleted_at is null
"""


def _suspected(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> SuspectedBots:
    (found,) = connection.execute(_LEFT_OUT, {"as_of": naive(as_of)}).fetchall()
    return SuspectedBots(*found)


def _waiting(connection: duckdb.DuckDBPyConnection) -> Iterator[WaitingIssue]:
    found = connection.execute("select * from waiting order by opened_at, source, message_id")
    names = [column[0] for column in found.description or ()]
    for row in found.fetchall():
        fields = dict(zip(names, row, strict=True))
        yield WaitingIssue(**{**fields, "opened_at": fields["opened_at"].replace(tzinfo=UTC)})
