"""Servers on loopback, as long as a test wants them, and AWS services that answer what it says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any

HERE = ("127.0.0.1", 0)


class Quiet(BaseHTTPRequestHandler):
    """A door that says nothing for each request."""

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def served(server: BaseServer) -> Iterator[str]:
    """The URL of a server that answers in a thread of its own, and is gone at the end."""
    # It looks a hundred times a second whether that has come; by itself, only twice.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(answer: Callable[[str, bytes], tuple[int, dict[str, Any]] | None]) -> Iterator[str]:
    """An AWS service on loopback: path and body → status and JSON; none hangs up."""

    class Door(Quiet):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = answer(self.path, body)
            if said is None:
                self.connection.close()
                return
            status, data = said
            code = data.pop("code", None)
            text = json.dumps(data).encode()
            self.send_response(status)
            if code:
                self.send_header("x-amzn-ErrorType", code)
            if "ETag" in data:
                self.send_header("ETag", data["ETag"])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815

    with served(ThreadingHTTPServer(HERE, Door)) as url:
        yield url
