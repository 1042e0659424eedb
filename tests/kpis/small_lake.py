"""A few rows → a lake of Parquet files on disk, or an engine that holds them directly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import duckdb

from muster.kpis import engine, given, runner, typed
from muster.kpis.catalogue import load
from muster.measured import Coverage, KpiValue
from muster.records import TABLE_OF, TABLES, Message, Row, columns
from muster.results import Kpi
from muster.settings import Settings

START = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
SOURCE = "desk"


def at(hours: float = 0, days: float = 0) -> datetime:
    """An instant so long after START."""
    return START + timedelta(days=days, hours=hours)


def message(message_id: str, hours: float, role: str = "member", **more: Any) -> Message:
    """A message written ``hours`` after START; its author is named after its role by default."""
    facts = {
        "thread_id": "t1", "author_id": f"a {role}", "author_role": role, "text": "and now",
        "direction": "outbound" if role == "staff" else "inbound", "created_at": at(hours),
    }  # fmt: skip
    return Message(message_id=message_id, **{**facts, **more})


Placed = Sequence[Row | tuple[str, Row]]


def lay(connection: duckdb.DuckDBPyConnection, rows: Placed) -> None:
    """Put rows (of source ``desk``, or named by a pair) where the tables' views are."""
    by_table: dict[str, list[list[Any]]] = defaultdict(list)
    facts = {kind: attrgetter(*(one.name for one in fields(kind))) for kind in TABLE_OF}
    for source, row in _placed(rows):
        by_table[TABLE_OF[type(row)]].append([source, *facts[type(row)](row), START])
    for name, table in TABLES.items():
        kinds = {one.name: typed.SQL_TYPES[one.type] for one in columns(table.row)}
        given.fill(connection, name, {"source": "varchar", **kinds}, map(_texts, by_table[name]))


def write(folder: Path, rows: Placed) -> str:
    """The same rows as a lake of Parquet files; returns its address."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    lay(connection, rows)
    for table in TABLES.values():
        target = folder / "tables" / table.name
        marked = [
            f"cast({one.name} as timestamptz) as {one.name}"
            if one.type == "timestamp"
            else one.name
            for one in columns(table.row)
        ]
        sources = connection.execute(f"select distinct source from {table.name}").fetchall()
        for (source,) in sources:
            place = target / f"source={source}" / ("month=2026-03" if table.month else "")
            place.mkdir(parents=True, exist_ok=True)
            chosen = f"select {', '.join(marked)} from {table.name} where source = '{source}'"
            engine.copy(connection, chosen, place / "part-0.parquet")
    return str(folder)


def settings(**more: Any) -> Settings:
    """Settings of a small community in UTC."""
    return Settings.model_validate({"community": "Desk", "min_n": 1, **more})


def measured(
    rows: Placed,
    *,
    as_of: datetime,
    kpis: Iterable[str | Kpi] = (),
    coverage: Sequence[Coverage] = (),
    grain: str = "",
    **more: Any,
) -> runner.Outcome:
    """Measure rows without a lake on disk, in one grain if it is named; ``more`` are settings."""
    connection = engine.connect("/nowhere", threads=1)
    lay(connection, rows)
    chosen = {one if isinstance(one, str) else one.id for one in kpis}
    own = tuple(one for one in kpis if isinstance(one, Kpi))
    wanted = [one for one in load() if not chosen or one.id in chosen] + list(own)
    if grain:
        wanted = [replace(one, grains=tuple({grain} & {*one.grains})) for one in wanted]
    return runner.measure(connection, settings(**more), wanted, as_of=as_of, coverage=coverage)


def values(
    outcome: runner.Outcome, kpi: str, grain: str = "week", segment: str = "all"
) -> dict[str, float]:
    """Period → value of one KPI; fails if anything went wrong."""
    assert outcome.problems == ()
    return {str(one.period_start): one.value for one in found(outcome, kpi, grain, segment)}


def found(
    outcome: runner.Outcome, kpi: str, grain: str = "week", segment: str = "all"
) -> list[KpiValue]:
    """The rows of one KPI, grain and segment."""
    wanted = (kpi, grain, segment)
    return [one for one in outcome.values if (one.kpi, one.grain, one.segment) == wanted]


def covers(start: datetime, end: datetime, table: str = "messages") -> Coverage:
    """A success of the source ``desk`` that vouches for a span."""
    return Coverage(source=SOURCE, table_name=table, from_at=start, to_at=end)


def _placed(rows: Placed) -> Iterable[tuple[str, Row]]:
    return (row if isinstance(row, tuple) else (SOURCE, row) for row in rows)


def _texts(row: Sequence[Any]) -> list[Any]:
    """Money as text, so that JSON keeps its digits."""
    return [str(value) if type(value).__name__ == "Decimal" else value for value in row]


TYPE_NAMES = {
    "string": "VARCHAR", "strings": "VARCHAR[]", "timestamp": "TIMESTAMP", "date": "DATE",
    "bool": "BOOLEAN", "int": "BIGINT", "float": "DOUBLE", "money": "DECIMAL(18,4)",
}  # fmt: skip
