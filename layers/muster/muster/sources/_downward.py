"""A newest-first list in; the stream that reads it down to what is stored, and its window, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from muster.records import Deletion, Item, KnownMessage
from muster.settings import Source
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._newest import OPEN, Place, State, Stream, given, instant, stamp, start_of

Ask = Callable[[Mapping[str, Any], str | None], Answer]
Read = Callable[[Answer], tuple[Sequence[Any], str | None]]
_SHAPES = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def downward(
    name: str, ask: Ask, read: Read, place: Callable[[Any], Place], window: Window,
    overlap: timedelta,
) -> Stream:  # fmt: skip
    """A list read down to the mark less ``overlap``, or to the start of the window.

    ``ask`` is given ``from`` and ``until`` of the walk (ISO 8601, or ``None``) for platforms that
    can be asked for a span.
    """

    def asked(mark: Place | None) -> Mapping[str, Any]:
        start = start_of(window)
        if mark and given(window) == OPEN:
            start = instant(mark[0]) - overlap
        until = window.until
        return {"from": stamp(start) if start else None, "until": stamp(until) if until else None}

    def is_old(asked: Mapping[str, Any], item: Any) -> bool:
        try:
            return bool(asked["from"]) and place(item)[0] < asked["from"]
        except _SHAPES:
            return False

    return Stream(name, ask, read, place, asked, is_old)


def is_within(window: Window, created_at: Callable[[Any], datetime], item: Any) -> bool:
    """Whether an item was written in the window; one that cannot be read may say so elsewhere."""
    try:
        written = created_at(item)
    except _SHAPES:
        return True
    start = start_of(window)
    return (start is None or start <= written) and (not window.until or written < window.until)


def is_due_today(state: State, window: Window, what: str) -> bool:
    """Whether ``what`` has not been read this UTC day, of a fetch that goes up to now.

    The caller notes it read with ``done_today`` together with the page.
    """
    return window.until is None and state.get("read_on", {}).get(what) != _today(window)


def done_today(state: State, window: Window, what: str) -> None:
    """Note that ``what`` was read this UTC day."""
    state.setdefault("read_on", {})[what] = _today(window)


def _today(window: Window) -> str:
    return window.now.astimezone(UTC).date().isoformat()


def gone(known: KnownMessage, seen_at: datetime, body: Any = None) -> Item:
    """A known message that was not found any more, and what the platform says of that."""
    told = {"message_id": known.message_id, "created_at": stamp(known.created_at)}
    return Item("gone", body, seen_at, told)


def gone_rows(item: Item, options: Source) -> Iterator[Deletion]:
    """The deletion such an item stands for."""
    told = item.context or {}
    created = instant(told["created_at"])
    yield Deletion(
        message_id=told["message_id"], created_at=created, deleted_at=max(item.seen_at, created)
    )
