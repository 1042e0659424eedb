"""A KPI and the periods of one grain → its rows in ``kpi_values``, or why it has none.

The KPI's SQL is run over the periods; or, where its header says how a longer period's value follows
from those of its days (``from_days``), it is run over days once and the longer periods follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import duckdb

from muster.errors import BadKpi
from muster.kpis import checking, steps
from muster.results import Kpi

# What one KPI yields; no data is no value.
FOUND = """
select
    cast(period_start as date) as period_start,
    cast(segment as varchar) as segment,
    cast(value as double) as value,
    cast(n as bigint) as n,
    count(*) over (partition by period_start, segment) as times
from ({sql}
)
where value is not null
"""
_DAYS = """
create or replace temp table day_values (
    kpi varchar, day date, segment varchar, value double, n bigint
)
"""
_KEEP = "insert into day_values select $kpi, period_start, segment, value, n from found"
_FROM_DAYS = """
select
    periods.period_start, day_values.segment, {value} as value, {n} as n
from day_values
join periods
    on day_values.day >= periods.period_start and day_values.day < periods.end_on
where day_values.kpi = $kpi{only}
group by periods.period_start, day_values.segment
"""
_ROLLED = {
    "sum": _FROM_DAYS.format(
        value="sum(day_values.value)", n="sum(day_values.n)", only=""),
    "mean": _FROM_DAYS.format(
        value="sum(day_values.value * day_values.n) / nullif(sum(day_values.n), 0)",
        n="sum(day_values.n)", only=""),
    "last": _FROM_DAYS.format(
        value="min(day_values.value)", n="min(day_values.n)",
        only=" and day_values.day = cast(periods.end_on - interval 1 day as date)"),
}  # fmt: skip
# A count is 0 where a success covers the whole period and nothing was found. Sums of parallel
# threads differ in their last bits: rounded, the same lake gives the same bytes.
INSERT = """
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
    select period_start, segment, round(value, 9) as value, n from found
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


class Days:
    """The values by day that longer periods follow from, of the KPIs whose days are sound."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, kpis: Iterable[str]) -> None:
        self._connection, self._waiting, self._kept = connection, set(kpis), set[str]()
        connection.execute(_DAYS)

    def wants(self, kpi: Kpi, grain: str) -> bool:
        """Whether the KPI's days are still to be kept, and these are days."""
        return grain == "day" and kpi.id in self._waiting

    def has(self, kpi: Kpi) -> bool:
        """Whether the KPI's longer periods can follow from its days."""
        return kpi.id in self._kept

    def keep(self, kpi: Kpi) -> None:
        """Keep what is in ``found`` as the KPI's values by day."""
        self._connection.execute(_KEEP, {"kpi": kpi.id})
        self._kept.add(kpi.id)


def measure(
    connection: duckdb.DuckDBPyConnection,
    kpi: Kpi,
    grain: str,
    parameters: Mapping[str, Any],
    days: Days,
) -> Iterator[str]:
    """Add the values of a KPI for the table ``periods``; yields a line if it fails."""
    sql = _ROLLED[kpi.from_days] if days.has(kpi) else kpi.sql
    try:
        steps.run(connection, "found", FOUND.format(sql=sql), {**parameters, "kpi": kpi.id})
        promises = list(checking.broken(connection, kpi))
    except (duckdb.Error, BadKpi) as error:
        yield f"KPI {kpi.id}: its SQL cannot be run: {' '.join(str(error).split())[:300]}"
        return
    if promises and grain in kpi.grains:
        yield f"KPI {kpi.id}, by {grain}: {promises[0]}; left out until {kpi.id}.sql is mended"
    if promises:
        return
    if days.wants(kpi, grain):
        days.keep(kpi)
    if grain in kpi.grains:
        _insert(connection, kpi, grain, parameters)


def _insert(
    connection: duckdb.DuckDBPyConnection, kpi: Kpi, grain: str, parameters: Mapping[str, Any]
) -> None:
    facts = {"kpi": kpi.id, "version": kpi.version, "grain": grain, "table_name": kpi.table}
    facts |= {"zero": kpi.zero, "is_estimate": kpi.statistic in ("mean", "quantile", "ratio")}
    window = timedelta(seconds=parameters[f"longest_{kpi.settles}"] if kpi.settles else 0)
    facts |= {"settled_at": parameters["as_of"] - window}
    connection.execute(INSERT, steps.used(INSERT, {**parameters, **facts}))
