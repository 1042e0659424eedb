"""A lake's connection, settings and KPIs → every value of every period, and who still waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from muster.kpis import derived, given, steps, valuing
from muster.kpis.catalogue import GRAINS
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
PERIODS = """
create or replace temp table periods as
select period_start, end_on, start_at, end_at, is_partial from every_period where grain = $grain
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
    reaches_back = given.prepare(connection, settings, as_of, tuple(coverage), GRAINS)
    connection.execute(_KPI_VALUES)
    parameters = given.parameters(settings, as_of)
    problems = list(_measure_all(connection, wanted, parameters, is_rolled=reaches_back))
    if write is not None:
        derived.write_tables(connection, write)
    values, waiting = tuple(_values(connection)), tuple(_waiting(connection))
    return Outcome(values, waiting, tuple(dict.fromkeys(problems)), _suspected(connection, as_of))


def _measure_all(
    connection: duckdb.DuckDBPyConnection,
    kpis: list[Kpi],
    parameters: Mapping[str, Any],
    *,
    is_rolled: bool,
) -> Iterator[str]:
    """Fill ``kpi_values`` grain by grain, days first; yields a line for each KPI that fails."""
    shared = steps.load()
    order = steps.needed([*(kpi.sql for kpi in kpis), "from waiting"], shared)
    by_grain = steps.each_grain(order, shared)
    _lighten(kpis, order, shared)
    later = [*(kpi.sql for kpi in kpis), *(shared[name] for name in by_grain)]
    later += derived.TABLES.values()
    grainless = [name for name in order if name not in by_grain]
    outlived = steps.outlived(grainless, shared, later)
    for name in grainless:
        steps.run(connection, name, shared[name], parameters)
        for old in outlived.get(name, ()):
            connection.execute(f"drop {'view' if steps.is_view(shared[old]) else 'table'} {old}")
    by_days = valuing.Days(connection, [kpi.id for kpi in kpis if kpi.from_days and is_rolled])
    for grain in GRAINS:
        asked = [kpi for kpi in kpis if grain in kpi.grains or by_days.wants(kpi, grain)]
        connection.execute(PERIODS, {"grain": grain})
        wanted = steps.needed([kpi.sql for kpi in asked if not by_days.has(kpi)], shared)
        for name in by_grain:
            if name in wanted:
                steps.run(connection, name, shared[name], parameters)
        for kpi in asked:
            yield from valuing.measure(connection, kpi, grain, parameters, by_days)


def _lighten(kpis: Sequence[Kpi], order: Iterable[str], shared: dict[str, str]) -> None:
    """Leave out the messages' text where no KPI reads it: ``roles`` keeps what was found in it."""
    others = [*(kpi.sql for kpi in kpis), *(shared[name] for name in order if name != "roles")]
    readers = [sql for sql in others if "roles" in steps.needed([sql], shared)]
    shared["roles"] = steps.lighter(shared["roles"], readers)


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
