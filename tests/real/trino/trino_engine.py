"""A Trino at an address, or one started from its folder: a warehouse in its memory catalogue.

TRINO_URL (http://user@host:port) names a server that runs and has the catalogue ``memory``;
TRINO_HOME an unpacked server, which is started on loopback with nothing else configured.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import duckdb
import s3_servers

from muster.kpis import engine, given, typed
from muster.kpis.warehouse import Kinds, refused
from muster.records import TABLES, columns

AT_ONCE = 200  # rows in one insert
_TYPES = {"timestamp": "timestamp(6)", "varchar[]": "array(varchar)"}
CONFIG = """coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
"""
JVM = "-server\n-Xmx2G\n-XX:+ExitOnOutOfMemoryError\n"


class Trino:
    """The ``memory`` catalogue of a server, through the client of its registry."""

    def __init__(self, url: str) -> None:
        from trino.dbapi import connect

        at = urlsplit(url)
        self.prefix = f"muster_{uuid4().hex[:12]}_"
        self._cursor = connect(
            host=at.hostname, port=at.port, user=at.username or "muster", catalog="memory",
            schema="default", http_scheme=at.scheme,
        ).cursor()  # fmt: skip
        self._made: list[str] = []

    def lay(self, lake: str) -> None:
        """The tables of a lake, under their own names."""
        connection = engine.connect(lake)
        for table in TABLES.values():
            kinds = {one.name: typed.SQL_TYPES[one.type] for one in columns(table.row)}
            rows = connection.execute(f"select source, {', '.join(kinds)} from {table.name}")
            self._lay(table.name, {"source": "varchar", **kinds}, rows.fetchall())

    def put(self, name: str, kinds: Kinds, rows: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.parquet"
            file.write_bytes(rows)
            connection = duckdb.connect()
            plain = engine.plain_times(connection, f"select * from '{file}'")
            self._lay(name, kinds, connection.execute(plain).fetchall())

    def keep(self, name: str, kinds: Kinds, sql: str) -> None:
        self._made.append(name)
        self._ask(f"create table {name} as {_typed(kinds, sql)}")

    def bring(
        self, connection: duckdb.DuckDBPyConnection, name: str, kinds: Kinds, sql: str
    ) -> None:
        given.fill(connection, name, kinds, self._ask(_typed(kinds, sql)))

    def drop(self) -> None:
        while self._made:
            self._ask(f"drop table if exists {self._made.pop()}")

    def _lay(self, name: str, kinds: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
        self._made.append(name)
        told = ", ".join(f"{column} {_TYPES.get(kind, kind)}" for column, kind in kinds.items())
        self._ask(f"drop table if exists {name}")
        self._ask(f"create table {name} ({told})")
        waiting = list(rows)
        for start in range(0, len(waiting), AT_ONCE):
            values = ", ".join(map(_row, waiting[start : start + AT_ONCE]))
            names = ", ".join(f"c{number}" for number in range(len(kinds)))
            cast = ", ".join(f"cast(c{number} as {_TYPES.get(kind, kind)})"
                             for number, kind in enumerate(kinds.values()))  # fmt: skip
            self._ask(f"insert into {name} select {cast} from (values {values}) as t ({names})")

    def _ask(self, sql: str) -> list[Any]:
        from trino.exceptions import Error

        try:
            self._cursor.execute(sql)
            found: list[Any] = self._cursor.fetchall()
        except Error as error:
            raise refused(f"Trino: {error}") from error
        return found


def _typed(kinds: Kinds, sql: str) -> str:
    cast = ", ".join(f"cast({name} as {_TYPES.get(kind, kind)}) as {name}"
                     for name, kind in kinds.items())  # fmt: skip
    return f"select {cast} from ({sql})"


def _row(row: tuple[Any, ...]) -> str:
    return f"({', '.join(map(_literal, row))})"


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"timestamp '{value.replace(tzinfo=None).isoformat(' ', 'microseconds')}'"
    if isinstance(value, date):
        return f"date '{value}'"
    if isinstance(value, Decimal):
        return f"decimal '{value}'"
    if isinstance(value, float):
        return f"double '{value!r}'"
    if isinstance(value, list):
        return f"array[{', '.join(map(_literal, value))}]"
    return typed.quoted(value) if isinstance(value, str) else str(value)


@contextmanager
def server() -> Iterator[str | None]:
    """The address of a server, or none."""
    if url := os.environ.get("TRINO_URL"):
        yield url
        return
    if home := os.environ.get("TRINO_HOME"):
        with tempfile.TemporaryDirectory() as folder, _started(Path(home), Path(folder)) as url:
            yield url
        return
    yield None


@contextmanager
def _started(home: Path, folder: Path) -> Iterator[str]:
    (port,) = s3_servers.free_ports(1)
    (folder / "etc" / "catalog").mkdir(parents=True)
    files = {
        "config.properties": CONFIG.format(port=port), "jvm.config": JVM,
        "node.properties": f"node.environment=muster\nnode.data-dir={folder}/data\n",
        "catalog/memory.properties": "connector.name=memory\nmemory.max-data-per-node=1GB\n",
    }  # fmt: skip
    for name, text in files.items():
        (folder / "etc" / name).write_text(text, "utf-8")
    command = [str(home / "bin" / "launcher"), "run", "--etc-dir", str(folder / "etc")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            s3_servers.wait_for(lambda: _answers(port), folder / "log")
            yield f"http://muster@127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _answers(port: int) -> bool:
    import httpx

    try:
        told = httpx.get(f"http://127.0.0.1:{port}/v1/info", timeout=2).json()
    except (httpx.HTTPError, ValueError):
        time.sleep(1)
        return False
    return not told["starting"]
