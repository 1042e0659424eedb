"""A platform's pages → batches to store, bounded, each with the newest cursor that is safe."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from muster.errors import Refused, Retry, SourceFailed
from muster.records import Item, Page
from muster.sources._answer import plain

BATCH_ITEMS = 5_000
BATCH_CHARS = 32 * 1024 * 1024
LONGEST = 500  # letters of a reason
DEEPEST = 200  # levels of an item; anybody may nest what a platform hands on as it is
TOO_DEEP = f"nested more than {DEEPEST} levels deep: it was not kept"
# What code stumbles over in a shape it does not know; OSError is what a time beyond the calendar
# of the machine gives.
UNMAPPABLE = (
    Refused, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError,
    RecursionError,
)  # fmt: skip

Cursor = Mapping[str, Any] | None
Batch = tuple[list[Item], Cursor]


def batches(
    pages: Iterable[Page], most: int = BATCH_ITEMS, secrets: Collection[str] = ()
) -> Iterator[Batch]:
    """Pages put together, bounded by items and characters, with the newest cursor that is safe.

    ``secrets`` (which may grow meanwhile) are what the platform sent back to us: no item keeps one.
    """
    items: list[Item] = []
    cursor: Cursor = None
    room = BATCH_CHARS
    try:
        for page in pages:
            found = [_held(_without(item, secrets)) for item in page.items]
            items.extend(item for item, _ in found)
            cursor = page.cursor if page.cursor is not None else cursor
            room -= sum(chars for _, chars in found)
            if len(items) >= most or room <= 0 or page.is_last_copy:
                yield items, cursor
                items, cursor, room = [], None, BATCH_CHARS
    except (Retry, SourceFailed):
        yield items, cursor  # What was read before the trouble need not be read again.
        raise
    except UNMAPPABLE as error:  # A page, or a cursor, of a shape that its platform never has.
        yield items, cursor
        said = _clean(why(error), secrets)[:200]
        raise SourceFailed(
            f"an answer has a shape that Muster does not know ({said}): check that \
base_url leads to the platform; if it does, this is a fault of Muster"
        ) from None
    yield items, cursor


def why(error: BaseException) -> str:
    """What cannot be mapped, in one line: words of strangers stand in it."""
    kind, said = type(error).__name__, plain(str(error), LONGEST)
    return (said or kind) if isinstance(error, Refused) else f"{kind}: {said}"


def _without(item: Item, secrets: Collection[str]) -> Item:
    """The item as received, but for our own secrets."""
    if not secrets:
        return item
    body, context = _clean([item.body, item.context], secrets)
    return Item(item.stream, body, item.seen_at, context)


def _clean(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, Mapping):
        return {_clean(key, secrets): _clean(found, secrets) for key, found in value.items()}
    return [_clean(one, secrets) for one in value] if isinstance(value, list) else value


def _held(item: Item) -> tuple[Item, int]:
    """The item and its characters; of one that no JSON reader would take back, its name."""
    try:
        return item, _chars([item.body, dict(item.context or {})], DEEPEST)
    except RecursionError:
        return Item(item.stream, TOO_DEEP, item.seen_at), len(TOO_DEEP)


def _chars(value: Any, deepest: int) -> int:
    """The characters of all strings in a JSON value; ``RecursionError`` below so many levels."""
    if not deepest:
        raise RecursionError
    if isinstance(value, str):
        return len(value)
    count = 0
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:  # Every field of every item comes through here.
        kind = type(one)
        if kind is str:
            count += len(one)
        elif kind is dict or kind is list:
            count += _chars(one, deepest - 1)
    return count
