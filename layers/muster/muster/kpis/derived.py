"""The measured tables of a connection → Parquet objects under ``tables/``, the same bytes again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import duckdb

from muster.kpis.engine import SQL_TYPES, copy
from muster.records import columns

TABLES = {
    "conversations": """
        select conversations.* exclude (person),
            issues.is_in_hours,
            case when issues.is_answered then issues.wait_seconds end as first_response_seconds,
            case when issues.is_answered then issues.wait_business_seconds end
                as first_response_business_seconds,
            case when conversations.resolved_at is not null then issues.resolution_seconds end
                as time_to_resolution_seconds
        from conversations
        left join issues using (source, root_id, episode)
        order by source, thread_id, root_id, episode
    """,
    "suspected_accounts": "select * from suspected_accounts order by source, member_id, rule",
    "waiting": "select * from waiting order by opened_at, source, message_id",
    "kpi_values": "select * from kpi_values order by kpi, grain, period_start, segment",
    "coverage": "select * from covered_spans order by source, table_name, from_at",
}


def write_tables(
    connection: duckdb.DuckDBPyConnection, write: Callable[[str, bytes], object]
) -> None:
    """Hand each derived table to ``write`` as ``tables/<name>/part-0.parquet``; times are UTC."""
    with tempfile.TemporaryDirectory() as folder:
        for name, sql in TABLES.items():
            path = Path(folder) / f"{name}.parquet"
            copy(connection, _with_zone(connection, sql), path)
            write(f"tables/{name}/part-0.parquet", path.read_bytes())


def _with_zone(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The statement with its plain UTC timestamps marked as UTC, as every table of the lake."""
    kinds = connection.execute(f"describe {sql}").fetchall()
    marked = [
        f"cast({name} as timestamptz) as {name}" if kind == "TIMESTAMP" else name
        for name, kind, *_ in kinds
    ]
    return f"select {', '.join(marked)} from ({sql})"


def rows_as_parquet(kind: type, rows: Iterable[Any]) -> bytes:
    """Rows of a derived table (a dataclass of ``records``) as a Parquet object."""
    wanted = columns(kind)[:-1]
    types = ", ".join(f"{column.name} {SQL_TYPES[column.type]}" for column in wanted)
    marks = ", ".join("?" for _ in wanted)
    with duckdb.connect(":memory:") as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute(f"create table told ({types})")
        for row in rows:
            connection.execute(f"insert into told values ({marks})", list(astuple(row)))
        path = Path(folder) / "told.parquet"
        copy(connection, "select * from told", path)
        return path.read_bytes()
