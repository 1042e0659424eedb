"""Parquet files of a table → SQL of its rows, typed even where no file or column exists yet.

Times are plain timestamps in UTC, as Athena shows them.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from muster.measured import DERIVED, derived_columns
from muster.records import TABLES, Column, columns

SQL_TYPES = {
    "string": "varchar", "strings": "varchar[]", "timestamp": "timestamp", "date": "date",
    "bool": "boolean", "int": "bigint", "float": "double", "money": "decimal(18,4)",
}  # fmt: skip


def rows(connection: duckdb.DuckDBPyConnection, table: str, files: str, told: str = "") -> str:
    """A select of every row of a table of the lake, derived ones too.

    ``files`` is what ``read_parquet`` takes, as SQL, or nothing if there is no file. It is looked
    at for the columns there are; ``told`` may stand in the select instead.
    """
    if not files:
        parts = ", ".join(_typed(column, False) for column in columns_of(table))
        return f"select {parts} where false"
    looked = connection.execute(f"describe select * from {_read(table, files)}").fetchall()
    present = {row[0] for row in looked}
    parts = ", ".join(_typed(column, column.name in present) for column in columns_of(table))
    return f"select {parts} from {_read(table, told or files)}"


def quoted(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def listed(paths: Iterable[str]) -> str:
    """Paths as ``read_parquet`` takes them; nothing for none."""
    inside = ", ".join(map(quoted, paths))
    return f"[{inside}]" if inside else ""


def _read(table: str, files: str) -> str:
    # A derived table's own months say nothing more, and an older release wrote none for no rows.
    has_folders = str(table in TABLES).lower()
    options = "union_by_name = true, hive_types_autocast = false"
    return f"read_parquet({files}, hive_partitioning = {has_folders}, {options})"


def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of a table as they are read, its source first."""
    if table in DERIVED:
        return derived_columns(table)
    source = Column("source", "string", False, "name of the source")
    return (source, *columns(TABLES[table].row))


def _typed(column: Column, is_present: bool) -> str:
    value = f'"{column.name}"' if is_present else "null"
    if column.type == "timestamp" and is_present:  # a cast asks the calendar of time zones, slowly
        return f'make_timestamp(epoch_us({value})) as "{column.name}"'
    return f'cast({value} as {SQL_TYPES[column.type]}) as "{column.name}"'
