"""A server in memory → a platform's recording: a fetch, its resumptions, the check."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from recorded import RECORDINGS, Recorded

from muster.sources import Window
from muster.sources._recording import _KEPT_HEADERS, _query, scrub

Server = Callable[[httpx.Request], httpx.Response]


class Noting(httpx.BaseTransport):
    """Passes requests to a server in memory and notes what was asked and answered."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.exchanges: dict[str, Mapping[str, Any]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The server's answer."""
        request.read()
        answer = self.server(request)
        asked: dict[str, Any] = {"method": request.method, "path": request.url.path}
        if query := _query(request.url):
            asked["query"] = scrub(query)
        if variables := _variables(request):
            asked["body"] = variables
        headers = {k: v for k, v in answer.headers.items() if k.startswith(_KEPT_HEADERS[1:])}
        told = {"status": answer.status_code, "headers": headers, "body": answer.json()}
        self.exchanges[json.dumps(asked, sort_keys=True)] = {"request": asked, "response": told}
        return answer


def _variables(request: httpx.Request) -> Any:
    """What tells one POST from another: its body, of GraphQL its name and variables."""
    if request.method != "POST" or not request.content:
        return None
    body = json.loads(request.content)
    return {key: found for key, found in body.items() if key != "query"}


def record(name: str, server: Server, told: Mapping[str, Any]) -> None:
    """Write ``tests/recordings/<name>.json``: what is asked from the start and from each cursor."""
    path = RECORDINGS / f"{name}.json"
    path.write_text(json.dumps(told))
    one = Recorded(name)
    noting = Noting(server)
    api, window = one.api(noting), one.window()
    cursors = [page.cursor for page in one.platform.pages(api, window)]
    for cursor in cursors:
        if cursor is not None:
            again = Window(one.options, one.now, cursor, known=window.known)
            list(one.platform.pages(one.api(noting), again))
    one.platform.check(one.api(noting), one.options)
    whole = {**told, "exchanges": list(noting.exchanges.values())}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", "utf-8")
