"""An account on X, its posts and problems, and one fetch of it from answers handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from recorded import items_of, last_cursor

from muster.records import Item
from muster.sources import Window, x
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
US = {"id": "1", "handle": "desk"}
OPTIONS = x.Options(name="x", platform="x", account="desk", lang="de")


def post(**fields: Any) -> dict[str, Any]:
    return {
        "id": "50", "text": "hello", "author_id": "7", "conversation_id": "50",
        "created_at": "2026-11-19T10:00:00.000Z", "edit_history_tweet_ids": ["50"],
        "lang": "en", **fields,
    }  # fmt: skip


def problem(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"https://api.twitter.com/2/problems/{kind}", "resource_type": "tweet",
            "parameter": "ids", "resource_id": "8", "value": "8", **fields}  # fmt: skip


ACCOUNT = {"data": {"id": "1", "username": "desk", "name": "Desk",
                    "public_metrics": {"followers_count": 12}}}  # fmt: skip
EMPTY: dict[str, Any] = {"meta": {"result_count": 0}}
Answers = Callable[[str, Mapping[str, str]], Any]


def nothing_new(path: str, query: Mapping[str, str]) -> Any:
    return ACCOUNT if "/by/username/" in path or path == "/2/users/1" else EMPTY


def fetch(
    answers: Answers = nothing_new,
    options: x.Options = OPTIONS,
    cursor: Any = None,
    **window: Any,
) -> tuple[list[tuple[str, dict[str, str]]], list[Item], Any]:
    """The calls made, the items read, the last cursor."""
    calls: list[tuple[str, dict[str, str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        calls.append((request.url.path, query))
        body = answers(request.url.path, query)
        return httpx.Response(200, json=body)

    now = window.pop("now", NOW)
    http = Http(transport=httpx.MockTransport(answer), clock=lambda: now)
    asked = Window(options, now, cursor or {}, **window)
    pages = list(x.pages(x.connect(options, "token", http), asked))
    return calls, items_of(pages), last_cursor(pages)


def calls_to(calls: list[tuple[str, dict[str, str]]], part: str) -> list[dict[str, str]]:
    return [query for path, query in calls if part in path]
