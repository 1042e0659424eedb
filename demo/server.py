"""The loopback server: HTTP requests in, the answers of three simulated platforms out."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from demo.audience import followers, history_csv
from demo.bluesky_api import Bluesky
from demo.community import SEED, world
from demo.discourse_api import Discourse
from demo.exchange import Answer, Request, stamp, unstamp
from demo.people import BLUESKY, FORUM, SOURCES, X
from demo.truth import truth
from demo.x_api import XApi


class Site:
    """The three platforms at one instant of their simulated world, which can be moved on."""

    def __init__(self, now: datetime, seed: int = SEED, are_limited: bool = True) -> None:
        self.world = world(now, seed)
        self.now = now
        self.base_url = ""
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        present: Callable[[], datetime] = lambda: self.now  # noqa: E731
        audience = followers(self.world)
        self.discourse = Discourse(self.world, present, are_limited)
        self.x = XApi(self.world, present, are_limited, audience[X])
        self.bluesky = Bluesky(
            self.world, present, are_limited, audience[BLUESKY], lambda: self.base_url
        )

    def answer(self, request: Request) -> Answer:
        """The answer of the platform the path belongs to."""
        if request.path.startswith("/_demo/"):
            return self._control(request)
        name, platform = FORUM, self.discourse.answer
        if request.path.startswith("/2/"):
            name, platform = X, self.x.answer
        elif request.path.startswith("/xrpc/"):
            name, platform = BLUESKY, self.bluesky.answer
        found = platform(request)
        with self._lock:
            self.asked[f"{name} {found.status}"] += 1
        return found

    def _control(self, request: Request) -> Answer:
        """What no real platform has: the simulated clock, and the truth for tests."""
        if request.path == "/_demo/now" and request.method == "POST":
            at = unstamp(str(request.json().get("now", "")))
            if at is None or not self.now <= at <= self.world.horizon:
                wanted = f"between {stamp(self.now)} and {stamp(self.world.horizon)}"
                return Answer({"error": f"send {{'now': an instant {wanted}}}"}, 400)
            self.now = at
        if request.path == "/_demo/audience":
            histories = {source: history_csv(self.world, source, self.now) for source in SOURCES}
            return Answer(histories)
        if request.path == "/_demo/truth":
            return Answer(truth(self.world, self.now, with_ids=bool(request.first("ids"))))
        return Answer({"now": stamp(self.now), "asked": self.asked})


class _Handler(BaseHTTPRequestHandler):
    """Keep-alive HTTP/1.1; each answer leaves in one piece."""

    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:  # noqa: N802
        """Answer a GET."""
        self._reply()

    def do_POST(self) -> None:  # noqa: N802
        """Answer a POST."""
        self._reply()

    def _reply(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            self.command,
            unquote(parts.path),
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )
        try:
            answer = self.server.site.answer(request)
        except Exception as error:
            answer = Answer({"error": f"the demo server failed: {error!r}"}, 500)
        content, kind = answer.encoded()
        self.send_response_only(answer.status)  # no Date: the simulated world has a time of its own
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Say nothing for each request."""


class _Server(ThreadingHTTPServer):
    """One thread a connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], site: Site) -> None:
        super().__init__(address, _Handler)
        self.site = site


def serve(now: datetime, port: int = 0, *, are_limited: bool = True) -> None:
    """Serve on loopback until stopped; the first line on stdout tells the port as JSON."""
    site = Site(now, are_limited=are_limited)
    with _Server(("127.0.0.1", port), site) as server:
        site.base_url = f"http://127.0.0.1:{server.server_port}"
        print(json.dumps({"port": server.server_port, "now": stamp(now)}), flush=True)  # noqa: T201
        server.serve_forever(poll_interval=0.2)
