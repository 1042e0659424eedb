"""A recorded answer in; what a broken server or network makes of it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from recorded import Fault

JSON = {"content-type": "application/json"}


def server_error(request: httpx.Request, answer: Any) -> httpx.Response:
    return httpx.Response(502, html="<h1>Bad gateway</h1>")


def truncated(request: httpx.Request, answer: Any) -> httpx.Response:
    raw = answer(request).read()
    return httpx.Response(200, headers=JSON, content=raw[: len(raw) // 2])


def html_page(request: httpx.Request, answer: Any) -> httpx.Response:
    return httpx.Response(200, html="<h1>Please stand by</h1>")


def timed_out(request: httpx.Request, answer: Any) -> httpx.Response:
    raise httpx.ReadTimeout("timed out")


def cut_off(request: httpx.Request, answer: Any) -> httpx.Response:
    raise httpx.RemoteProtocolError("peer closed connection without sending complete body")


def once_at(number: int, broken: Callable[[httpx.Request, Any], httpx.Response]) -> Fault:
    def fault(n: int, request: httpx.Request, answer: Any) -> httpx.Response:
        return broken(request, answer) if n == number else answer(request)

    return fault


BROKEN = (server_error, truncated, html_page, timed_out, cut_off)
