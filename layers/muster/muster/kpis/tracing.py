"""A KPI's SQL and a connection with its steps → SQL for the rows that one of its values counts.

A select that groups is taken apart: its tables, joins and conditions without the grouping give the
rows, and what stood inside ``avg(…)`` or ``sum(…)`` is what each of them contributes. Where it
reads only sums, the rows of those sums are traced, by the keys they were grouped by. After Cui,
Widom and Wiener, "Tracing the lineage of view data in a warehousing environment" (2000).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import duckdb
from sqlglot import exp, parse_one

from muster.kpis import steps
from muster.kpis.given import GIVEN
from muster.records import TABLES

# What a row is known by, when it happened, and where it can be seen.
IDS = {key for table in TABLES.values() for key in table.key if key.endswith("_id")}
IDS |= {"person", "customer", "account"}
TIMES = ("created_at", "opened_at", "resolved_at", "date", "measured_on", "day", "first_at")
SHOWN = ("source", *sorted(IDS), "survey", "channel", "term", *TIMES, "url")
NO_ROWS = {*GIVEN, "periods", "covered_periods", "visited_channels"}
FRAME = ("period_start", "segment")
_COLUMN = re.compile(r"(?:\w+\.)?(\w+)")


@dataclass(frozen=True)
class Part:
    """Rows behind a value: their SQL, and the columns whose sum, mean or count the value is."""

    name: str
    sql: str
    contributions: tuple[str, ...]


@dataclass
class Tracer:
    """A connection that holds every table and step the SQL reads, and what the SQL is given."""

    connection: duckdb.DuckDBPyConnection
    parameters: Mapping[str, Any]
    shared: Mapping[str, str] = field(default_factory=steps.load)
    numbers: Iterator[int] = field(default_factory=count)

    def keep(self, sql: str, parameters: Mapping[str, Any]) -> str:
        """A temporary table of the rows of ``sql``; returns its name."""
        name = f"wanted_{next(self.numbers)}"
        steps.run(self.connection, name, sql, {**self.parameters, **parameters})
        return name

    def columns(self, sql: str) -> tuple[str, ...]:
        """The names a select yields."""
        told = f"{sql} limit 0"
        found = self.connection.execute(told, steps.used(told, self.parameters))
        return tuple(column[0] for column in found.description or ())

    def trace(self, sql: str, period_start: Any, segment: str) -> tuple[Part, ...]:
        """The parts behind the value that ``sql`` has for a period and segment."""
        frame = {"on": period_start, "segment": segment}
        wanted = self.keep("select cast($on as date) as period_start, $segment as segment", frame)
        return tuple(_parts(self, parsed(sql), wanted, "rows", None))


@dataclass(frozen=True)
class _Level:
    """One select: its tables by alias with their columns, its outputs, and those that count."""

    tracer: Tracer
    query: exp.Query
    select: exp.Select
    tables: Mapping[str, exp.Table]
    columns: Mapping[str, tuple[str, ...]]
    named: Mapping[str, exp.Expression]
    counted: Mapping[str, exp.Expression]


def parsed(sql: str) -> exp.Query:
    """The statement as a tree."""
    found = parse_one(sql, read="duckdb")
    assert isinstance(found, exp.Query)
    return found


def said(node: exp.Expression) -> str:
    """An expression or a statement as SQL again, without comments."""
    return node.sql("duckdb", comments=False, normalize_functions="lower")


def outputs(query: exp.Query) -> Iterator[tuple[exp.Select, dict[str, exp.Expression]]]:
    """Each select of a union with its outputs by the names that the first one gives."""
    selects = list(_selects(query))
    names = [one.alias_or_name for one in selects[0].expressions]
    for select in selects:
        bare = (one.unalias() for one in select.expressions)
        yield select, {name: one for name, one in zip(names, bare, strict=False) if not one.is_star}


def _selects(query: exp.Query) -> Iterator[exp.Select]:
    if isinstance(query, exp.SetOperation):
        yield from _selects(query.left)
        yield from _selects(query.right)
    elif isinstance(query, exp.Subquery):
        yield from _selects(query.this)
    elif isinstance(query, exp.Select):
        yield query


def _parts(
    tracer: Tracer, query: exp.Query, wanted: str, name: str, read: set[str] | None
) -> Iterator[Part]:
    """The rows behind those rows of ``query`` that are like a row of ``wanted``.

    ``read`` are the outputs that count; without it all do.
    """
    for select, named in outputs(query):
        level = _level(tracer, query, select, named, read)
        below = {
            alias: (columns, found)
            for alias, table in level.tables.items()
            if (columns := _read(level, alias)) is None or columns
            if (found := _definition(tracer, query, table))
        }
        if not below or _has_rows(level) or any(one.find(exp.Window) for one in named.values()):
            yield _part(level, wanted, name)
            continue
        for alias, (columns, found) in below.items():
            rows = _rows(level, wanted, [f"{alias}.*"])
            kept = tracer.keep(f"select distinct * from ({rows})", {})
            yield from _parts(tracer, found, kept, alias, columns)


def _level(
    tracer: Tracer,
    query: exp.Query,
    select: exp.Select,
    named: Mapping[str, exp.Expression],
    read: set[str] | None = None,
) -> _Level:
    tables = {table.alias_or_name: table for table in _tables(select) if table.name not in NO_ROWS}
    columns = {
        alias: tracer.columns(f"{_head(query)} select * from {table.name}")
        for alias, table in tables.items()
    }
    counted = {
        name: one
        for name, one in named.items()
        if name not in FRAME and (read is None or name in read)
    }
    return _Level(tracer, query, select, tables, columns, named, counted)


def _tables(select: exp.Select) -> Iterator[exp.Table]:
    start, joins = select.args.get("from_"), select.args.get("joins") or ()
    for part in (start, *joins):
        if part is not None and isinstance(part.this, exp.Table):
            yield part.this


def _head(query: exp.Query) -> str:
    found = query.args.get("with_")
    return said(found) if found else ""


def _definition(tracer: Tracer, query: exp.Query, table: exp.Table) -> exp.Query | None:
    """What a name stands for: a common table expression of the query, else a step."""
    inside = {one.alias: one.this for one in query.ctes}
    if table.name in inside:
        found: exp.Query = inside[table.name].copy()
        found.set("with_", query.args["with_"].copy())
        return found
    return parsed(tracer.shared[table.name]) if table.name in tracer.shared else None


def _read(level: _Level, alias: str) -> set[str] | None:
    """The table's columns that the outputs are made of; None if any may be."""
    columns = [one for made in level.counted.values() for one in made.find_all(exp.Column)]
    if not columns or not all(column.table for column in columns):
        return {column.name for column in columns} or None
    return {column.name for column in columns if column.table == alias}


def _has_rows(level: _Level) -> bool:
    return any(_is_rows(level, alias) for alias in level.tables)


def _is_rows(level: _Level, alias: str) -> bool:
    """Whether a row of the table is one thing that happened, not a sum of several."""
    table = level.tables[alias]
    if table.name in TABLES or IDS & set(level.columns[alias]):
        return True
    query = _definition(level.tracer, level.query, table)
    return query is not None and all(
        not _is_grouped(select) and _has_rows(_level(level.tracer, query, select, named))
        for select, named in outputs(query)
    )


def _is_grouped(select: exp.Select) -> bool:
    return bool(select.args.get("group") or select.args.get("distinct")) or any(
        True for one in select.expressions for _ in _aggregates(one)
    )


def _aggregates(node: exp.Expression) -> Iterator[exp.AggFunc]:
    for found in node.find_all(exp.AggFunc):
        if not found.find_ancestor(exp.Window):
            yield found


def _part(level: _Level, wanted: str, name: str) -> Part:
    shown = _identity(level)
    made_of: dict[str, None] = {}
    for output, made in level.counted.items():
        inside = [found for one in _aggregates(made) if (found := _inside(one, output, shown))]
        made_of |= dict.fromkeys(inside if output != "n" else ())
        if output not in ("value", "n") and not any(True for _ in _aggregates(made)):
            shown.setdefault(output, said(made))
    _referenced(level, shown)
    listed = [f"{made} as {_quoted(column)}" for column, made in shown.items()]
    named = name if name != "rows" else next(iter(level.tables), name)
    return Part(named, _rows(level, wanted, listed), tuple(made_of))


def _identity(level: _Level) -> dict[str, str]:
    """The columns that say which row it is: name → expression."""
    shown: dict[str, str] = {}
    for alias, columns in level.columns.items():
        for name in SHOWN:
            if name in columns:
                shown.setdefault(name, f"{alias}.{name}")
    return {name: shown[name] for name in SHOWN if name in shown}


def _inside(aggregate: exp.AggFunc, output: str, shown: dict[str, str]) -> str:
    """The column, added to those shown, that an aggregate is over; none of a plain count."""
    inside = aggregate.this
    if isinstance(inside, exp.Distinct):
        inside = inside.expressions[0]
    if inside is None or isinstance(inside, exp.Star):
        return ""
    made = said(inside)
    name = inside.name if isinstance(inside, exp.Column) else output
    name = "contributes" if name in ("value", "n") and name not in shown else name
    while name in shown and not _is_same(shown[name], made):
        name += "_too"
    shown[name] = made
    return str(name)


def _is_same(one: str, other: str) -> bool:
    """Whether two expressions are one column, named with its table or without."""
    plain = [_COLUMN.fullmatch(made) for made in (one, other)]
    return one == other or all(plain) and plain[0][1] == plain[1][1]  # type: ignore[index]


def _referenced(level: _Level, shown: dict[str, str]) -> None:
    """Add the columns that figures and conditions look at."""
    conditions = level.select.args.get("where")
    for node in (*level.counted.values(), *([conditions] if conditions else ())):
        for column in node.find_all(exp.Column):
            if not column.table or column.table in level.tables:
                shown.setdefault(column.name, said(column))


def _rows(level: _Level, wanted: str, listed: list[str]) -> str:
    """The rows of a select without its grouping that make a row of ``wanted``."""
    keys = {
        f"of_{name}": (name, made)
        for name in level.tracer.columns(f"select * from {wanted}")
        if (made := _key(level, name))
    }
    bare = level.select.copy()
    for part in ("with_", "group", "having", "order", "distinct", "qualify"):
        bare.set(part, None)
    chosen = ", ".join([*(f"{made} as {key}" for key, (_, made) in keys.items()), *listed])
    bare.set("expressions", [exp.Star()])
    inner = said(bare).replace("SELECT *", f"select {chosen}", 1)
    alike = " and ".join(
        f"{wanted}.{name} is not distinct from found.{key}" for key, (name, _) in keys.items()
    )
    return (
        f"{_head(level.query)} select * exclude ({', '.join(keys)}) from ({inner}) as found "
        f"where exists (select 1 from {wanted} where {alike})"
    )


def _key(level: _Level, name: str) -> str:
    """The expression of an output that rows are grouped by; empty if it is no such output."""
    if name in level.named:
        made = level.named[name]
        is_made = made.find(exp.Window) or any(True for _ in _aggregates(made))
        return "" if is_made else said(made)
    holders = [alias for alias, columns in level.columns.items() if name in columns]
    has_star = any(one.is_star for one in level.select.expressions)
    return f"{holders[0]}.{name}" if has_star and holders else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
