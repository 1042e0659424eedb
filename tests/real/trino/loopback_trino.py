"""A loopback server that speaks Trino's protocol, with DuckDB behind it: for trying the driver.

It shows nothing about Trino's own values: those need a Trino (TRINO_URL, TRINO_HOME).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

import duckdb
import sqlglot
from loopback import HERE, Quiet, served

NAMES = {"VARCHAR": "varchar", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean",
         "DATE": "date", "TIMESTAMP": "timestamp(6)"}  # fmt: skip


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server whose tables are its own."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")

    class Door(Quiet):
        def do_POST(self) -> None:  # noqa: N802
            sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
            text = json.dumps(_answer(connection, sql)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with served(ThreadingHTTPServer(HERE, Door)) as url:
        yield url.replace("//", "//muster@")


def _answer(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    stats = {"state": "FINISHED", "queued": False, "scheduled": True, "nodes": 1}
    told: dict[str, Any] = {"id": "q", "infoUri": "http://127.0.0.1/", "stats": stats}
    try:
        (duck,) = sqlglot.transpile(sql, read="trino", write="duckdb")
        found = connection.execute(duck)
        rows = found.fetchall()
    except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
        failed = {"message": str(error), "errorCode": 1, "errorName": "SYNTAX_ERROR",
                  "errorType": "USER_ERROR"}  # fmt: skip
        return told | {"error": failed, "stats": {**stats, "state": "FAILED"}}
    kinds = [(one[0], NAMES.get(str(one[1]), "bigint")) for one in found.description or ()]
    columns = [{"name": name, "type": kind, "typeSignature": _signature(kind)}
               for name, kind in kinds]  # fmt: skip
    data = [[None if one is None else _json(one) for one in row] for row in rows]
    return told | {"columns": columns, "data": data}


def _signature(kind: str) -> dict[str, Any]:
    if kind == "timestamp(6)":
        return {"rawType": "timestamp", "arguments": [{"kind": "LONG", "value": 6}]}
    return {"rawType": kind, "arguments": []}


def _json(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) else str(value)
