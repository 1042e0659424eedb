"""An AWS service on loopback that answers what a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def answering(answer: Callable[[str, bytes], tuple[int, dict[str, Any]] | None]) -> Iterator[str]:
    """An AWS service on loopback: path and body → status and JSON; none hangs up."""

    class Door(BaseHTTPRequestHandler):
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

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
