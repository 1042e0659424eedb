"""A platform's pages → batches to store, bounded, each with the newest cursor that is safe."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from muster.errors import Refused, Retry, SourceFailed
from muster.lake import raw
from muster.records import Item, Page
from muster.sources._answer import plain

BATCH_ITEMS = 10_000
BATCH_BYTES = 16 * 1024 * 1024  # one batch is stored while the next is read
SOME_ITEMS, SOME_BYTES = 250, 1024 * 1024  # what is mapped at once, as a processor's cache holds it
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
Held = tuple[Item, bytes]  # an item and its line in raw
Made = TypeVar("Made")


def batches(
    pages: Iterable[Page],
    make: Callable[[Sequence[Held]], Made],
    most: int = BATCH_ITEMS,
    secrets: Collection[str] = (),
) -> Iterator[tuple[list[Made], Cursor]]:
    """Pages put together, bounded by items and bytes, with the newest cursor that is safe.

    ``make`` is asked what to keep of some items, each with its line in raw. ``secrets`` (which
    may grow meanwhile) are what the platform sent back to us: no item keeps one.
    """
    batch, cursor = _Batch(make), None
    try:
        for page in pages:
            told = tuple(secrets)  # more may be added meanwhile
            for item in page.items:
                batch.add(_held(_without(item, told)))
            cursor = page.cursor if page.cursor is not None else cursor
            if batch.count >= most or batch.bytes >= BATCH_BYTES or page.is_last_copy:
                yield batch.made(), cursor
                batch, cursor = _Batch(make), None
    except (Retry, SourceFailed):
        yield batch.made(), cursor  # What was read before the trouble need not be read again.
        raise
    except UNMAPPABLE as error:  # A page, or a cursor, of a shape that its platform never has.
        yield batch.made(), cursor
        said = _clean(why(error), secrets)[:200]
        raise SourceFailed(
            f"an answer has a shape that Muster does not know ({said}): check that \
base_url leads to the platform; if it does, this is a fault of Muster"
        ) from None
    yield batch.made(), cursor


class _Batch(Generic[Made]):
    """What is kept of the items of a batch; some at a time, while they are near at hand."""

    def __init__(self, make: Callable[[Sequence[Held]], Made]) -> None:
        self._make = make
        self._made: list[Made] = []
        self._held: list[Held] = []
        self._room = 0
        self.count = self.bytes = 0

    def add(self, held: Held) -> None:
        self._held.append(held)
        self.count, self.bytes = self.count + 1, self.bytes + len(held[1])
        if len(self._held) >= SOME_ITEMS or self.bytes - self._room >= SOME_BYTES:
            self.made()

    def made(self) -> list[Made]:
        """All of them so far."""
        if self._held:
            self._made.append(self._make(self._held))
            self._held, self._room = [], self.bytes
        return self._made


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


def _held(item: Item) -> Held:
    """The item and its line in raw; of one that no JSON reader would take back, its name."""
    try:
        line = raw.encoded(item)
        # What is left without brackets tells how many there are in a quarter of count's time.
        if len(line) - len(line.replace(b"{", b"").replace(b"[", b"")) > DEEPEST:
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
