"""Statements in Trino's SQL → Athena, which runs them over the tables of a Glue database.

Tables are named after the run, so that runs do not meet; their files lie under ``athena/`` of the
lake, from where the stack's bucket takes them away after a week. Athena tells instants to the
millisecond. Its answers are CSV files, which DuckDB reads where they lie.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import duckdb

from muster.errors import AccountRefused, BadSettings
from muster.kpis.typed import quoted
from muster.kpis.warehouse import Kinds, refused
from muster.store import Store

# DuckDB's kinds as Athena's CREATE EXTERNAL TABLE and as its SELECT call them.
_HIVE = {"varchar": "string", "varchar[]": "array<string>"}
_TRINO = {"timestamp": "timestamp(3)", "varchar[]": "array(varchar)"}
_ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}
_AT_MOST = 3600.0  # seconds that one statement may take


@dataclass
class Athena:
    """A Glue database and a workgroup, and what one run made and read there."""

    client: Any  # botocore's Athena
    database: str
    workgroup: str
    lake: Store
    sleep: Callable[[float], None] = time.sleep
    prefix: str = field(default_factory=lambda: f"muster_{uuid4().hex[:12]}_")
    made: list[str] = field(default_factory=list)
    scanned: int = 0
    statements: int = 0

    def __post_init__(self) -> None:
        if not self.lake.url().startswith("s3://"):
            raise BadSettings("engine: athena reads a lake in S3: set lake to s3://bucket/prefix")

    def put(self, name: str, kinds: Kinds, rows: bytes) -> None:
        """Make a table of a Parquet file's bytes."""
        folder = f"athena/given/{name}"
        self.lake.put(f"{folder}/part-0.parquet", rows)
        told = ", ".join(f"`{column}` {_HIVE.get(kind, kind)}" for column, kind in kinds.items())
        place = quoted(f"{self.lake.url()}/{folder}/")
        self._ask(
            f"create external table {self._made(name)} ({told}) stored as parquet location {place}"
        )

    def keep(self, name: str, kinds: Kinds, sql: str) -> None:
        """Make a table of the rows of a ``select``."""
        self._ask(f"create table {self._made(name)} with (format = 'PARQUET') as "
                  + _typed(kinds, sql))  # fmt: skip

    def bring(
        self, connection: duckdb.DuckDBPyConnection, name: str, kinds: Kinds, sql: str
    ) -> None:
        """Put the rows of a ``select`` into a new temporary table of the connection."""
        place = self._ask(_typed(kinds, sql))
        told = ", ".join(f"{quoted(column)}: {quoted(kind)}" for column, kind in kinds.items())
        # An empty text comes in quotes, no value without.
        connection.execute(
            f"create or replace temp table {name} as select * from read_csv({quoted(place)}, "
            f"header = true, quote = '\"', escape = '\"', nullstr = '', auto_detect = false, "
            f"delim = ',', allow_quoted_nulls = false, columns = {{{told}}})"
        )

    def drop(self) -> None:
        """Take the tables away; their files stay until the bucket's rule takes them."""
        while self.made:
            self._ask(f"drop table if exists `{self.made.pop()}`")

    def _made(self, name: str) -> str:
        self.made.append(name)
        return name

    def _ask(self, sql: str) -> str:
        """Run a statement to its end; the address of its answer. ``BadKpi`` if it fails."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            started = self.client.start_query_execution(
                QueryString=sql,
                QueryExecutionContext={"Database": self.database},
                WorkGroup=self.workgroup,
            )
            told = self._ended(started["QueryExecutionId"])
        except (BotoCoreError, ClientError) as error:
            raise AccountRefused(
                f"Athena cannot be asked: {error}; see athena: in muster.yaml, and your rights"
            ) from error
        self.statements += 1
        self.scanned += told.get("Statistics", {}).get("DataScannedInBytes", 0)
        if told["Status"]["State"] != "SUCCEEDED":
            raise refused(f"Athena: {told['Status'].get('StateChangeReason', 'cancelled')}")
        place: str = told["ResultConfiguration"]["OutputLocation"]
        return place

    def _ended(self, query: str) -> dict[str, Any]:
        """What Athena says of a statement once it has ended; it is asked ever more seldom."""
        waited, pause = 0.0, 0.2
        while waited < _AT_MOST:
            told: dict[str, Any] = self.client.get_query_execution(QueryExecutionId=query)
            if told["QueryExecution"]["Status"]["State"] in _ENDED:
                found: dict[str, Any] = told["QueryExecution"]
                return found
            self.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, 5.0)
        raise AccountRefused(f"Athena did not end a statement within {_AT_MOST:.0f} seconds")


def _typed(kinds: Kinds, sql: str) -> str:
    """The same rows, each column of the kind that it has in DuckDB."""
    cast = ", ".join(f"cast({name} as {_TRINO.get(kind, kind)}) as {name}"
                     for name, kind in kinds.items())  # fmt: skip
    return f"select {cast} from ({sql})"
