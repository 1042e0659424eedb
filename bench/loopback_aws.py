"""Objects and Glue tables in memory → Lambda's Runtime API, S3, Glue, SSM and SES on loopback.

One server is asked by one function's process: it hands out one event, and notes when the process
asked for it, when DuckDB had its first answer of the lake, and when the function answered.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

SECRET = "a secret of the bench"  # what every SSM parameter holds
Objects = dict[str, bytes]  # "/bucket/key" → content


@dataclass
class Account:
    """What lies in the buckets and in the catalogue; functions change it."""

    objects: Objects = field(default_factory=dict)
    tables: dict[str, object] = field(default_factory=dict)

    def copy(self) -> Account:
        """The same, to be changed apart."""
        return Account(dict(self.objects), dict(self.tables))


@dataclass
class Waiting:
    """What the process is waited for, as instants; 0 if it did not come to that."""

    event: bytes
    ready: float = 0.0
    asked_lake: float = 0.0
    answered: float = 0.0
    answer: bytes = b""
    done: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    """One thread a connection; closing connections make no noise."""

    daemon_threads = True

    def __init__(self, account: Account, event: Mapping[str, object]) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.account, self.waiting = account, Waiting(json.dumps(event).encode())
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """The process is stopped in the middle of its next question."""


@contextmanager
def serving(account: Account, event: Mapping[str, object]) -> Iterator[Server]:
    """A server that hands out ``event`` once; ``account`` is changed by what it is asked."""
    server = Server(account, event)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Door(BaseHTTPRequestHandler):
    """All of the services, told apart by what is asked."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:  # noqa: N802
        asked = urlsplit(self.path)
        if asked.path.endswith("/invocation/next"):
            self._next()
        elif "list-type" in asked.query:
            self._list(asked.path.strip("/"), parse_qs(asked.query).get("prefix", [""])[0])
        elif "versions" in asked.query:
            self._say(200, b"<ListVersionsResult></ListVersionsResult>")  # none is kept
        else:
            path = unquote(asked.path)
            self._object(self.server.account.objects.get(path))
            if path.startswith("/lake/tables/"):
                waiting = self.server.waiting
                waiting.asked_lake = waiting.asked_lake or time.time()

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:  # noqa: N802
        data, key = self._body(), unquote(urlsplit(self.path).path)
        with self.server.lock:
            there = self.server.account.objects.get(key)
            is_lost = there is not None and "If-None-Match" in self.headers
            if "If-Match" in self.headers:
                is_lost = there is None or self.headers["If-Match"] != etag(there)
            if not is_lost:
                self.server.account.objects[key] = data
        if is_lost:
            self._say(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        else:
            self._say(200, b"", {"ETag": etag(data)})

    def do_DELETE(self) -> None:  # noqa: N802
        self.server.account.objects.pop(unquote(urlsplit(self.path).path), None)
        self._say(204, b"")

    def do_POST(self) -> None:  # noqa: N802
        body, waiting = self._body(), self.server.waiting
        if target := self.headers.get("X-Amz-Target"):
            self._json(self._called(target.rpartition(".")[2], json.loads(body)))
            return
        if self.path.startswith("/v2/email/"):
            self._json({"MessageId": "1"})
            return
        waiting.answered, waiting.answer = time.time(), body
        self._say(202, b"")
        waiting.done.set()

    def handle_expect_100(self) -> bool:
        """Said at once: what waits in a buffer lets boto3 wait for a second before each put."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _next(self) -> None:
        waiting = self.server.waiting
        if waiting.ready:
            waiting.done.wait(30)
            return
        waiting.ready = time.time()
        # The client's native part crashes if one of these is missing.
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "1",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 300) * 1000)),
            "Lambda-Runtime-Trace-Id": "Root=1-0-0",
            "Content-Type": "application/json",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:0:function:f",
        }
        self._say(200, waiting.event, headers)

    def _list(self, bucket: str, prefix: str) -> None:
        start = f"/{bucket}/"
        found = "".join(
            f"<Contents><Key>{escape(key.removeprefix(start))}</Key><Size>{len(data)}</Size>"
            f"<ETag>{escape(etag(data))}</ETag>"
            "<LastModified>2026-11-27T00:00:00.000Z</LastModified></Contents>"
            for key, data in sorted(self.server.account.objects.items())
            if key.startswith(start + prefix)
        )
        ends = f"<Prefix>{escape(prefix)}</Prefix><IsTruncated>false</IsTruncated>"
        self._say(200, f"<ListBucketResult>{ends}{found}</ListBucketResult>".encode())

    def _object(self, data: bytes | None) -> None:
        if data is None:
            self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        told = {"ETag": etag(data), "Last-Modified": "Fri, 27 Nov 2026 00:00:00 GMT",
                "Accept-Ranges": "bytes"}  # fmt: skip
        wanted = self.headers.get("Range", "").removeprefix("bytes=")
        if not wanted:
            self._say(200, data, told)
            return
        first, _, last = wanted.partition("-")
        begin, end = int(first), min(int(last or len(data)), len(data) - 1)
        told["Content-Range"] = f"bytes {begin}-{end}/{len(data)}"
        self._say(206, data[begin : end + 1], told)

    def _called(self, call: str, asked: dict[str, dict[str, object]]) -> dict[str, object]:
        """What Glue and SSM say; every parameter has the same value."""
        tables = self.server.account.tables
        if call == "GetParameter":
            return {"Parameter": {"Value": SECRET}}
        if call == "GetTables":
            return {"TableList": list(tables.values())}
        tables[str(asked["TableInput"]["Name"])] = asked["TableInput"]
        return {}

    def _json(self, said: Mapping[str, object]) -> None:
        self._say(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _say(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def etag(data: bytes) -> str:
    """As S3 makes it."""
    return f'"{hashlib.md5(data).hexdigest()}"'
