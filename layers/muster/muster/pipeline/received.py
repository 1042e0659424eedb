"""An item as a platform sent it → the item and its line in raw: no secret of ours, not too deep."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from muster.lake import raw
from muster.records import Item

DEEPEST = 200  # levels of an item; anybody may nest what a platform hands on as it is
TOO_DEEP = f"nested more than {DEEPEST} levels deep: it was not kept"


def received(item: Item, secrets: Collection[str] = ()) -> tuple[Item, bytes]:
    """The item and its line in raw; of one that no JSON reader would take back, its name.

    ``secrets`` are ours that the platform sent back to us: no item keeps one.
    """
    if secrets:
        item = _without(item, secrets)
    try:
        line = raw.encoded(item)
        # What is left without brackets tells how many there are in a quarter of count's time.
        if len(line) - len(line.replace(b"{", b"").replace(b"[", b"")) > DEEPEST:
            _refuse_deep([item.body, dict(item.context or {})], DEEPEST)
        return item, line
    except RecursionError:
        named = Item(item.stream, TOO_DEEP, item.seen_at)
        return named, raw.encoded(named)


def _without(item: Item, secrets: Collection[str]) -> Item:
    body, context = clean([item.body, item.context], secrets)
    return Item(item.stream, body, item.seen_at, context)


def clean(value: Any, secrets: Collection[str]) -> Any:
    """A JSON value with each secret replaced by stars."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, Mapping):
        return {clean(key, secrets): clean(found, secrets) for key, found in value.items()}
    return [clean(one, secrets) for one in value] if isinstance(value, list) else value


def _refuse_deep(value: Any, deepest: int) -> None:
    """Raise ``RecursionError`` if a JSON value goes below so many levels."""
    if not deepest:
        raise RecursionError
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            _refuse_deep(one, deepest - 1)
