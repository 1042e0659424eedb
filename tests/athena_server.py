"""A loopback server that speaks Athena's API, over a Glue database and a real S3 on this machine.

It is no Athena: it puts each statement of Trino's SQL into DuckDB's words and runs it over the
same Parquet. So it shows that the driver works and that the SQL, there and back, means what it
meant; not that Trino computes the same. What Athena is known to refuse, it refuses: times finer
than a millisecond in a new table, and whatever statement is not of the forms that are used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import sqlglot
from loopback import answering
from sqlglot import exp

from muster.kpis import typed

KINDS = {
    "string": "varchar", "array<string>": "varchar[]", "timestamp": "timestamp", "date": "date",
    "boolean": "boolean", "bigint": "bigint", "int": "integer", "double": "double",
    "varchar": "varchar",
}  # fmt: skip
_EXTERNAL = re.compile(
    r"create external table (\w+) \((.*)\) stored as parquet location '(s3://[^']+)'", re.DOTALL
)
_CREATED = re.compile(r"create table (\w+) with \(format = 'PARQUET'\) as (.*)", re.DOTALL)
_DROPPED = re.compile(r"drop table if exists `(\w+)`")


class Refused(Exception):
    """A statement that Athena would refuse, with its words."""


@dataclass
class Database:
    """A Glue database whose tables lie in S3, asked in Trino's SQL."""

    connection: duckdb.DuckDBPyConnection
    results: str  # s3://bucket/prefix/, as the workgroup has it
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)  # table → column → bytes
    queries: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def see(self, table: Mapping[str, Any]) -> None:
        """A table of Glue's, with the partitions that its projection works out."""
        told, name = table["StorageDescriptor"], table["Name"]
        kinds = {one["Name"]: one["Type"] for one in told["Columns"]}
        keys = [one["Name"] for one in table["PartitionKeys"]]
        known = table["Parameters"].get("projection.source.values")
        listed = ", ".join(map(typed.quoted, known.split(","))) if known else ""
        where = f"source in ({listed})" if known else "true"
        self._lay(name, told["Location"], {**kinds, **dict.fromkeys(keys, "string")}, where)

    def _lay(self, name: str, place: str, kinds: Mapping[str, str], where: str = "true") -> None:
        typed = {column: KINDS.get(kind, kind) for column, kind in kinds.items()}
        files = f"{place.rstrip('/')}/**/*.parquet"
        (there,) = self.connection.execute("select count(*) from glob(?)", [files]).fetchall()
        how = "hive_partitioning = true, union_by_name = true, hive_types_autocast = false"
        read = f"read_parquet({typed.quoted(files)}, {how})"
        present = self._columns(read) if there[0] else set()
        columns = ", ".join(
            f"{_milliseconds(column, kind) if column in present else f'cast(null as {kind})'} "
            f'as "{column}"' for column, kind in typed.items()
        )  # fmt: skip
        source = f"from {read} where {where}" if there[0] else "where false"
        self.connection.execute(f'create or replace view "{name}" as select {columns} {source}')
        self.sizes[name] = self._sizes(files) if there[0] else {}

    def _columns(self, read: str) -> set[str]:
        return {row[0] for row in self.connection.execute(f"describe from {read}").fetchall()}

    def _sizes(self, files: str) -> dict[str, int]:
        sql = (
            "select split_part(path_in_schema, ', ', 1), sum(total_compressed_size) "
            "from parquet_metadata(?) group by all"
        )
        return {name: int(size) for name, size in self.connection.execute(sql, [files]).fetchall()}

    def start(self, sql: str) -> str:
        """Run a statement; the id under which its end is asked for."""
        query = f"q{len(self.queries)}"
        self.said.append(sql)
        told: dict[str, Any] = {"State": "SUCCEEDED"}
        read = 0
        try:
            read = self._run(query, sql)
        except (duckdb.Error, sqlglot.errors.SqlglotError, Refused) as error:
            told = {"State": "FAILED", "StateChangeReason": str(error)}
        self.queries[query] = {
            "QueryExecutionId": query, "Status": told, "polls": 0,
            "ResultConfiguration": {"OutputLocation": f"{self.results}{query}.csv"},
            "Statistics": {"DataScannedInBytes": read},
        }  # fmt: skip
        return query

    def _run(self, query: str, sql: str) -> int:
        if found := _EXTERNAL.fullmatch(sql):
            parts = (one.strip().split(" ", 1) for one in found[2].split(", `"))
            self._lay(found[1], found[3], {name.strip("`"): kind for name, kind in parts})
            return 0
        if found := _DROPPED.fullmatch(sql):
            self.connection.execute(f"drop view if exists {found[1]}")
            return 0
        if found := _CREATED.fullmatch(sql):
            return self._create(query, found[1], found[2])
        rows = self.connection.execute(_duck(sql))
        names = [column[0] for column in rows.description or ()]
        text = "\n".join(_line(row) for row in (names, *rows.fetchall())) + "\n"
        self._write(f"{self.results}{query}.csv", text)
        return self._read(sql)

    def _create(self, query: str, name: str, select: str) -> int:
        outermost = sqlglot.parse_one(select, read="trino").expressions
        for one in outermost:
            if re.search(r"timestamp(?:\(6\))?\b(?!\()", one.sql("trino").lower()):
                raise Refused("Incorrect timestamp precision for timestamp(6); the configured "
                              "precision is MILLISECONDS")  # fmt: skip
        place = f"{self.results}tables/{query}"
        options = "format parquet, compression zstd"
        self.connection.execute(f"copy ({_duck(select)}) to '{place}/part-0.parquet' ({options})")
        kinds = self.connection.execute(f"describe {_duck(select)}").fetchall()
        self._lay(name, place, {row[0]: row[1].lower() for row in kinds})
        return self._read(select)

    def _read(self, sql: str) -> int:
        """Bytes of the columns that a statement names, of the tables it reads: what is charged."""
        tree = sqlglot.parse_one(sql, read="trino")
        names = {one.name for one in tree.find_all(exp.Column)}
        is_all = bool(list(tree.find_all(exp.Star)))
        tables = {one.name for one in tree.find_all(exp.Table)} & self.sizes.keys()
        return sum(
            size for table in tables for column, size in self.sizes[table].items()
            if column in names or is_all
        )  # fmt: skip

    def _write(self, place: str, text: str) -> None:
        copied = f"copy (select $text as text) to {typed.quoted(place)} "
        options = "(format csv, header false, quote '', escape '', delim E'\\x01')"
        self.connection.execute(copied + options, {"text": text.removesuffix("\n")})

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Athena's JSON for a call."""
        asked = json.loads(body)
        if "QueryString" in asked:
            return 200, {"QueryExecutionId": self.start(asked["QueryString"])}
        found = self.queries[asked["QueryExecutionId"]]
        found["polls"] += 1
        if found["polls"] == 1 and len(self.queries) % 7 == 0:  # now and then, one waits
            return 200, {"QueryExecution": {**found, "Status": {"State": "RUNNING"}}}
        return 200, {"QueryExecution": found}


def _milliseconds(column: str, kind: str) -> str:
    """A column as Athena shows it, whose instants are no finer."""
    typed = f'cast("{column}" as {kind})'
    return f"date_trunc('millisecond', {typed})" if kind == "timestamp" else typed


def _duck(sql: str) -> str:
    (told,) = sqlglot.transpile(sql, read="trino", write="duckdb")
    return told


def _line(row: Any) -> str:
    return ",".join(_cell(value) for value in row)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, datetime):
        value = value.isoformat(" ", "milliseconds")
    return '"' + str(value).replace('"', '""') + '"'


@contextmanager
def athena(
    connection: duckdb.DuckDBPyConnection, glue: Any, database: str, results: str
) -> Iterator[tuple[str, Database]]:
    """The address of the server, and the database it asks: Glue's tables as they are now."""
    found = Database(connection, results)
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            found.see(table)
    with answering(found.answer) as url:
        yield url, found
