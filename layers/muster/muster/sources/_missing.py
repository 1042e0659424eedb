"""Known messages and the items of their threads, read anew, in; which of them are gone out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from muster.records import Deletion, Item, KnownMessage, Message
from muster.sources import Window
from muster.sources._downward import gone
from muster.sources._newest import start_of

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def missing(
    window: Window,
    items: Iterable[Item],
    known: Iterable[KnownMessage],
    rows: Callable[[Item, Any], Iterator[Any]],
    seen_at: datetime,
) -> Iterator[Item]:
    """What says that a message is gone, by the platform's own mapping ``rows`` of the items.

    Nothing is, where an item cannot be read: it may be the one that is missing; nor what the
    settings' ``since`` leaves out.
    """
    try:
        found = {
            row.message_id
            for item in items
            for row in rows(item, window.options)
            if isinstance(row, Message | Deletion)
        }
    except _UNREADABLE:
        return
    start = start_of(window)
    for one in known:
        if one.message_id not in found and (start is None or one.created_at >= start):
            yield gone(one, seen_at)
