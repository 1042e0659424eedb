"""The measured tables of a connection → Parquet objects under ``tables/``, the same bytes again."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import astuple
from typing import Any

import duckdb

from muster import scratch
from muster.kpis.engine import copy
from muster.kpis.typed import SQL_TYPES
from muster.records import columns
from muster.store import Store

CONVERSATIONS = "tables/conversations"
ORDERS = {  # one row each; what only the next run reads lies in any order
    "conversations": "source, thread_id, root_id, episode",
    "waiting_issues": "opened_at, source, message_id",
}
TABLES = {
    "suspected_accounts": ("suspected_accounts", "source, member_id, rule"),
    "waiting": ("waiting", "opened_at, source, message_id"),
    "kpi_values": ("kpi_values", "kpi, grain, period_start, segment"),
    "coverage": ("covered_spans", "source, table_name, from_at"),
}


def write_tables(
    connection: duckdb.DuckDBPyConnection,
    write: Callable[[str, bytes], object],
    in_order: Container[str] = (),
) -> None:
    """Hand each derived table to ``write`` as ``tables/<name>/part-0.parquet``; times are UTC.

    The rows of those that are ``in_order`` come in their order already.
    """
    for name, (table, order) in TABLES.items():
        sorting = "" if name in in_order else order
        found = encoded(connection, f"select * from {table}", sorting)
        write(f"tables/{name}/part-0.parquet", found)


def write_conversations(
    connection: duckdb.DuckDBPyConnection,
    lake: Store,
    months: Iterable[str],
    bring: Callable[[str], None],
) -> None:
    """The months of ``conversations``, one after the other, so that only one is ever held.

    ``bring`` puts the rows of a month into the connection's table of that name. A month that has
    none any more keeps an object without rows: a measuring deletes nothing.
    """
    there = {entry.key.partition("month=")[2][:7] for entry in lake.list(f"{CONVERSATIONS}/")}
    for month in sorted(filter(None, {*months, *there})):
        bring(month)
        rows = encoded(connection, "select * from conversations", ORDERS["conversations"])
        lake.put(f"{CONVERSATIONS}/month={month}/part-0.parquet", rows)


def encoded(connection: duckdb.DuckDBPyConnection, sql: str, order: str) -> bytes:
    """The rows of a statement in order as Parquet, times marked as UTC."""
    return written(connection, with_zone(connection, sql, order))


def written(connection: duckdb.DuckDBPyConnection, sql: str) -> bytes:
    """The rows of a statement as Parquet."""
    with scratch.folder() as folder:
        path = folder / "rows.parquet"
        copy(connection, sql, path)
        return path.read_bytes()


def with_zone(connection: duckdb.DuckDBPyConnection, sql: str, order: str) -> str:
    """The rows of a statement in order, plain UTC timestamps marked as UTC as in every table."""
    sorting = f" order by {order}" if order else ""
    return f"select {zoned(connection, sql)} from ({sql}){sorting}"


def zoned(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The columns of a statement, plain UTC timestamps marked as UTC."""
    kinds = connection.execute(f"describe {sql}").fetchall()
    return ", ".join(  # a cast asks the calendar of time zones, slowly
        f"make_timestamptz(epoch_us({name})) as {name}" if kind == "TIMESTAMP" else name
        for name, kind, *_ in kinds
    )


def rows_as_parquet(kind: type, rows: Iterable[Any]) -> bytes:
    """Rows of a derived table (a dataclass of ``records``) as a Parquet object."""
    wanted = columns(kind)[:-1]
    types = ", ".join(f"{column.name} {SQL_TYPES[column.type]}" for column in wanted)
    marks = ", ".join("?" for _ in wanted)
    with duckdb.connect(":memory:") as connection, scratch.folder() as folder:
        connection.execute(f"create table told ({types})")
        for row in rows:
            connection.execute(f"insert into told values ({marks})", list(astuple(row)))
        path = folder / "told.parquet"
        copy(connection, "select * from told", path)
        return path.read_bytes()
