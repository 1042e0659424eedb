"""An account on Bluesky, its posts, and one fetch of it from answers handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from recorded import items_of, last_cursor

from muster.records import Item
from muster.sources import Window, bluesky
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OUR_DID, DID = "did:plc:us", "did:plc:mira"
US = {"did": OUR_DID, "handle": "desk.example.org"}
OPTIONS = bluesky.Options(name="sky", platform="bluesky", account="desk.example.org", lang="de")
AT = "2026-11-19T10:00:00.000Z"


def uri(key: str, did: str = DID) -> str:
    return f"at://{did}/app.bsky.feed.post/{key}"


def post(key: str = "3k", did: str = DID, at: str = AT, indexed: str = AT, **record: Any) -> Any:
    handle = "desk.example.org" if did == OUR_DID else "mira.example.org"
    return {
        "uri": uri(key, did), "cid": "bafy", "indexedAt": indexed,
        "author": {"did": did, "handle": handle, "displayName": "Mira", "labels": []},
        "record": {"text": "hello", "createdAt": at, "langs": ["en"], **record},
    }  # fmt: skip


def reply(root: str, parent: str) -> Any:
    return {"root": {"uri": root, "cid": "bafy"}, "parent": {"uri": parent, "cid": "bafy"}}


def rows(body: Any, stream: str = "post", context: Any = US) -> list[Any]:
    return list(bluesky.rows(Item(stream, body, NOW, context), OPTIONS))


Answers = Callable[[str, Mapping[str, Any]], Any]
SESSION = {"accessJwt": "access-1", "refreshJwt": "refresh-1", "did": OUR_DID, "handle": "desk"}
PROFILE = {**US, "followersCount": 12, "displayName": "Desk"}
NOTHING: dict[str, Any] = {
    "app.bsky.actor.getProfile": PROFILE,
    "app.bsky.feed.getAuthorFeed": {"feed": []},
    "app.bsky.notification.listNotifications": {"notifications": []},
    "app.bsky.feed.searchPosts": {"posts": []},
    "app.bsky.feed.getPosts": {"posts": []},
    "app.bsky.feed.getPostThread": {"thread": {}},
    "com.atproto.server.createSession": SESSION,
}


def network(**answers: Any) -> Answers:
    """A network that knows little: answers by the last part of a method's name."""

    def answer(method: str, query: Mapping[str, Any]) -> Any:
        told = answers.get(method.rpartition(".")[2], NOTHING.get(method))
        return told(query) if callable(told) else told

    return answer


def fetch(
    answers: Answers, options: bluesky.Options = OPTIONS, cursor: Any = None, **window: Any
) -> tuple[list[tuple[str, dict[str, Any]]], list[Item], Any]:
    """The calls made, the items read, the last cursor."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        query = {key: params.get_list(key) if key == "uris" else params[key] for key in params}
        method = request.url.path.rpartition("/")[2]
        calls.append((method.rpartition(".")[2], query))
        return httpx.Response(200, json=answers(method, query))

    now = window.pop("now", NOW)
    http = Http(transport=httpx.MockTransport(answer), clock=lambda: now)
    asked = Window(options, now, cursor or {}, **window)
    pages = list(bluesky.pages(bluesky.connect(options, "password", http), asked))
    return calls, items_of(pages), last_cursor(pages)


def calls_to(calls: list[tuple[str, dict[str, Any]]], method: str) -> list[dict[str, Any]]:
    return [query for name, query in calls if name == method]
