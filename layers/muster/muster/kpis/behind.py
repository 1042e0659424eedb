"""A lake's connection, a KPI, a period and a segment → the value and the rows it counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError

from muster.errors import BadSettings
from muster.kpis import given, steps
from muster.kpis.catalogue import GRAINS
from muster.kpis.tracing import Part, Tracer, outputs, parsed, said
from muster.measured import Coverage
from muster.results import Behind, Kpi, Rows
from muster.settings import Settings

_PERIODS = "select * exclude (grain) from every_period where grain = $grain"


def behind(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    kpi: Kpi,
    period: tuple[str, date],
    segment: str,
    *,
    as_of: datetime,
    coverage: Iterable[Coverage],
    most: int | None = None,
) -> Behind:
    """What ``kpi`` counts in a period (grain and first day) and a segment, as of an instant.

    ``connection`` is fresh from :func:`muster.kpis.engine.connect`; ``most`` bounds the rows told
    of each table. Times are local. ``BadSettings`` if the KPI's SQL cannot be run.
    """
    tracer = Tracer(connection, given.parameters(settings, as_of))
    try:
        _prepare(tracer, settings, kpi, period[0], as_of, tuple(coverage))
        value, n = _value(tracer, kpi, period[1], segment)
    except duckdb.Error as error:
        raise BadSettings(f"{kpi.id}.sql cannot be run: {' '.join(str(error).split())}") from error
    try:
        parts = tracer.trace(kpi.rows or kpi.sql, period[1], segment)
        first = _first(kpi.rows)
        told = [_told(tracer, part, first, most, settings.zone) for part in parts]
        return Behind(value, n, _formula(kpi, segment), _filled(told))
    except (SqlglotError, duckdb.Error, AssertionError) as error:
        trouble = f"the rows cannot be traced, add 'rows:' to its header: {error}"
        return Behind(value, n, ("", ""), (), " ".join(trouble.split())[:400])


def _prepare(
    tracer: Tracer,
    settings: Settings,
    kpi: Kpi,
    grain: str,
    as_of: datetime,
    coverage: tuple[Coverage, ...],
) -> None:
    """Compute what the KPI reads, for the periods of one grain."""
    given.prepare(tracer.connection, settings, as_of, coverage, GRAINS)
    steps.run(tracer.connection, "periods", _PERIODS, {"grain": grain})
    for name in steps.needed([kpi.sql, kpi.rows], tracer.shared):
        steps.run(tracer.connection, name, tracer.shared[name], tracer.parameters)


def _value(tracer: Tracer, kpi: Kpi, start: date, segment: str) -> tuple[float | None, int]:
    wanted = {"on": start, "segment": segment}
    sql = f"select * from ({kpi.sql}\n) where period_start = $on and segment = $segment"
    kept = tracer.keep(sql, wanted)
    found = tracer.connection.execute(f"select value, n from {kept}").fetchall()
    value, n = found[0] if found else (None, 0)
    return (None if value is None else round(float(value), 9)), int(n or 0)


def _formula(kpi: Kpi, segment: str) -> tuple[str, str]:
    """SQL of value and n; of a union's selects the one that gives the segment."""
    selects = [named for _, named in outputs(parsed(kpi.sql)) if {"value", "n"} <= set(named)]
    own = [named for named in selects if "segment" in named and named["segment"].name == segment]
    chosen = next(iter([*own, *selects]), None)
    # Where the value is a column of a step, its name says nothing.
    is_told = chosen is not None and not isinstance(chosen["value"], exp.Column)
    return (said(chosen["value"]), said(chosen["n"])) if chosen and is_told else ("", "")


def _filled(parts: list[Rows]) -> tuple[Rows, ...]:
    """Only tables that have rows; without any, the first says where there are none."""
    return tuple(part for part in parts if part.total) or tuple(parts[:1])


def _first(rows: str) -> list[str]:
    """What the rows that a header names are ordered by."""
    order = parsed(rows).args.get("order") if rows else None
    return [said(one) for one in order.expressions] if order else []


def _told(tracer: Tracer, part: Part, first: list[str], most: int | None, zone: ZoneInfo) -> Rows:
    kept = tracer.keep(part.sql, {})
    total = tracer.connection.execute(f"select count(*) from {kept}").fetchall()[0][0]
    bound = f"limit {int(most)}" if most is not None else ""
    own = tracer.columns(f"select * from {kept}")
    first = first or [f'"{column}" desc nulls last' for column in part.contributions[:1]]
    order = ", ".join([*first, *map(str, range(1, len(own) + 1))])
    told = tracer.connection.execute(f"{_linked(kept, own)} order by {order} {bound}")
    columns = tuple(column[0] for column in told.description or ())
    rows = tuple(tuple(_local(cell, zone) for cell in row) for row in told.fetchall())
    return Rows(part.name, columns, rows, total, part.contributions)


def _local(cell: Any, zone: ZoneInfo) -> Any:
    return cell.replace(tzinfo=UTC).astimezone(zone) if isinstance(cell, datetime) else cell


def _linked(kept: str, columns: tuple[str, ...]) -> str:
    """The rows, each with the title of its thread and where it can be seen."""
    own, has = set(columns), f"{kept}.url" if "url" in columns else ""
    said_in = f"messages.source = {kept}.source and messages.message_id = {kept}.message_id"
    joins, links, thread = "", [has] if has else [], ""
    if {"source", "message_id"} <= own:
        joins = f" left join messages on {said_in}"
        links, thread = [*links, "messages.url"], "messages.thread_id"
    if {"source", "thread_id"} <= own:
        thread = f"{kept}.thread_id"
    if not thread:
        return f"select * from {kept}"
    joins += f" left join threads on threads.source = {kept}.source"
    joins += f" and threads.thread_id = {thread}"
    rest = f"{kept}.* exclude (url)" if has else f"{kept}.*"
    return (
        f"select {rest}, threads.title, coalesce({', '.join([*links, 'threads.url'])}) as url "
        f"from {kept}{joins}"
    )
