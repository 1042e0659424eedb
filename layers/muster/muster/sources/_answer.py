"""One HTTP answer in; its JSON, the wait it asks for, and the reason of a refusal out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

_WAITABLE = (429, 503)
_RESETS = ("x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset")
_EPOCHS_FROM = 1_000_000_000  # a reset above this is an instant, below it is seconds left


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: parsed JSON (``None`` where there is none), and when it was received."""

    body: Any
    status: int
    headers: Mapping[str, str] = field(repr=False)
    seen_at: datetime


WaitOf = Callable[[Answer], float | None]


def asked_wait(answer: Answer) -> float | None:
    """Seconds a 429 or 503 asks to wait by ``Retry-After`` or a reset header; ``None``: it doesn't.

    A platform with a hint of its own passes another such function as ``wait_of``. It is asked of
    every answer, and whatever it gives a number for is repeated after that wait.
    """
    if answer.status not in _WAITABLE:
        return None
    if asked := answer.headers.get("retry-after"):
        return _seconds(asked, answer.seen_at)
    resets = (answer.headers[name] for name in _RESETS if name in answer.headers)
    return next((_seconds(reset, answer.seen_at) for reset in resets), None)


def _seconds(text: str, now: datetime) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return _until_http_date(text, now)
    left = number - now.timestamp() if number >= _EPOCHS_FROM else number
    return max(left, 0.0) if left < float("inf") else None


def _until_http_date(text: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - now).total_seconds(), 0.0)


def parse(response: httpx.Response, raw: bytes) -> tuple[Any, str]:
    """The JSON of an answer and ``""``, or ``None`` and what is wrong with it."""
    kind = response.headers.get("content-type", "")
    if not raw and response.status_code in (202, 204, 205):
        return None, ""
    if kind and "json" not in kind.lower():
        return None, f"{kind.partition(';')[0][:60]!r} instead of JSON"
    try:
        return json.loads(raw), ""
    except (ValueError, RecursionError):
        return None, "cut or broken JSON"


def reason(body: Any) -> str:
    """What the platform itself says of a refusal, as one short line."""
    for key in ("message", "detail", "error_description", "errors", "error", "title"):
        said = body.get(key) if isinstance(body, Mapping) else None
        said = said[0] if isinstance(said, list) and said else said
        if isinstance(said, Mapping):
            said = said.get("message") or said.get("detail")
        if isinstance(said, str):
            return " ".join("".join(c if c.isprintable() else " " for c in said[:200]).split())
    return ""
