"""A platform's mapped pages → batches to store, bounded, each with the newest safe cursor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from muster.errors import Retry, SourceFailed
from muster.pipeline.mapping import UNMAPPABLE, Mapped, why
from muster.pipeline.received import clean
from muster.records import Page

BATCH_ITEMS = 10_000
BATCH_BYTES = 16 * 1024 * 1024  # one batch is stored while the next is read
# What is mapped before it is taken: its rows, many times as large, fit into a processor's cache.
SOME_ITEMS, SOME_BYTES = 500, 1024 * 1024

Cursor = Mapping[str, Any] | None
Made = TypeVar("Made")


def batches(
    pages: Iterable[tuple[Page, Iterable[Mapped]]],
    make: Callable[[Sequence[Mapped]], Made],
    most: int = BATCH_ITEMS,
    secrets: Collection[str] = (),
) -> Iterator[tuple[list[Made], Cursor]]:
    """Pages put together, bounded by items and bytes, with the newest cursor that is safe.

    ``make`` is asked what to keep of some items. No error tells ``secrets`` (see ``mapper``).
    """
    batch, cursor = _Batch(make), None
    try:
        for page, found in pages:
            for one in found:
                batch.add(one)
            cursor = page.cursor if page.cursor is not None else cursor
            if batch.count >= most or batch.bytes >= BATCH_BYTES or page.is_last_copy:
                yield batch.made(), cursor
                batch, cursor = _Batch(make), None
    except (Retry, SourceFailed):
        yield batch.made(), cursor  # What was read before the trouble need not be read again.
        raise
    except UNMAPPABLE as error:  # A page, or a cursor, of a shape that its platform never has.
        yield batch.made(), cursor
        raise unknown_shape(error, secrets) from None
    yield batch.made(), cursor


def unknown_shape(error: BaseException, secrets: Collection[str] = ()) -> SourceFailed:
    """What reading an answer stumbled over (``UNMAPPABLE``), as an error that says what to do."""
    said = clean(why(error), secrets)[:200]
    return SourceFailed(
        f"an answer has a shape that Muster does not know ({said}): check that base_url leads to "
        "the platform; if it does, this is a fault of Muster"
    )


class _Batch(Generic[Made]):
    """What is kept of the items of a batch; some at a time, while they are near at hand."""

    def __init__(self, make: Callable[[Sequence[Mapped]], Made]) -> None:
        self._make = make
        self._made: list[Made] = []
        self._some: list[Mapped] = []
        self._room = 0
        self.count = self.bytes = 0

    def add(self, one: Mapped) -> None:
        self._some.append(one)
        self.count, self.bytes = self.count + 1, self.bytes + len(one.line)
        if len(self._some) >= SOME_ITEMS or self.bytes - self._room >= SOME_BYTES:
            self.made()

    def made(self) -> list[Made]:
        """All of them so far."""
        if self._some:
            self._made.append(self._make(self._some))
            self._some, self._room = [], self.bytes
        return self._made
