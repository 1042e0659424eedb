"""A platform's pages → batches to store, bounded, each with the newest cursor that is safe."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from muster.errors import Refused, Retry, SourceFailed
from muster.lake import raw
from muster.records import Item, Page
from muster.sources._answer import plain

BATCH_ITEMS = 10_000
BATCH_BYTES = 16 * 1024 * 1024  # one batch is stored while the next is read
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


def as_it_is(item: Item, _: bytes) -> Item:
    """The item itself."""
    return item


def batches(
    pages: Iterable[Page],
    most: int = BATCH_ITEMS,
    secrets: Collection[str] = (),
    make: Callable[[Item, bytes], Any] = as_it_is,
) -> Iterator[tuple[list[Any], Cursor]]:
    """Pages put together, bounded by items and bytes, with the newest cursor that is safe.

    ``make`` is asked what to keep of each item, by itself and its line in raw. ``secrets`` (which
    may grow meanwhile) are what the platform sent back to us: no item keeps one.
    """
    made: list[Any] = []
    cursor: Cursor = None
    room = BATCH_BYTES
    try:
        for page in pages:
            told = tuple(secrets)  # more may be added meanwhile
            for item in page.items:
                kept, line = _held(_without(item, told))
                made.append(make(kept, line))
                room -= len(line)
            cursor = page.cursor if page.cursor is not None else cursor
            if len(made) >= most or room <= 0 or page.is_last_copy:
                yield made, cursor
                made, cursor, room = [], None, BATCH_BYTES
    except (Retry, SourceFailed):
        yield made, cursor  # What was read before the trouble need not be read again.
        raise
    except UNMAPPABLE as error:  # A page, or a cursor, of a shape that its platform never has.
        yield made, cursor
        said = _clean(why(error), secrets)[:200]
        raise SourceFailed(
            f"an answer has a shape that Muster does not know ({said}): check that \
base_url leads to the platform; if it does, this is a fault of Muster"
        ) from None
    yield made, cursor


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


def _held(item: Item) -> tuple[Item, bytes]:
    """The item and its line in raw; of one that no JSON reader would take back, its name."""
    try:
        line = raw.encoded(item)
        if line.count(b"{") + line.count(b"[") > DEEPEST:
            _refuse_deep([item.body, dict(item.context or {})], DEEPEST)
        return item, line
    except RecursionError:
        named = Item(item.stream, TOO_DEEP, item.seen_at)
        return named, raw.encoded(named)


def _refuse_deep(value: Any, deepest: int) -> None:
    """Raise ``RecursionError`` if a JSON value goes below so many levels."""
    if not deepest:
        raise RecursionError
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            _refuse_deep(one, deepest - 1)
