"""Answers of a forum, whatever their shape, in; the parts that are as they should be out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

from muster.errors import Rejected
from muster.sources._answer import Answer
from muster.sources._http import Api


def granted(api: Api, path: str, params: Mapping[str, Any] | None = None) -> Answer | None:
    """The answer, or ``None`` where it is gone or not ours to see."""
    try:
        return api.get(path, params)
    except Rejected as refused:
        if is_hidden(refused):
            return None
        raise


def is_hidden(refused: Rejected) -> bool:
    """Gone, or not ours to see; a forum answers either for either."""
    return refused.is_gone or refused.status == 403


def records(body: Any, *path: str) -> list[dict[str, Any]]:
    """The objects in a list, by the keys that lead to it."""
    return [one for one in list_at(body, *path) if isinstance(one, dict)]


def list_at(body: Any, *path: str) -> list[Any]:
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    return body if isinstance(body, list) else []


def stream(topic: Any) -> list[int]:
    """Ids of all posts of a topic; empty where the forum leaves them out (very long topics)."""
    return [id_ for id_ in list_at(topic, "post_stream", "stream") if is_id(id_)]


def is_id(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def id_of(post: Any) -> int | None:
    found = post.get("id") if isinstance(post, dict) else None
    return found if is_id(found) else None


def time_of(body: Any, key: str) -> datetime | None:
    """A time of an object, or ``None`` if it has none that can be read."""
    try:
        at = datetime.fromisoformat(body[key])
    except (KeyError, TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
