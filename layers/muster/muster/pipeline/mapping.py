"""API items → rows of the lake, and what no table can hold with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from muster import sources
from muster.errors import Refused
from muster.lake import cells, fitting, raw
from muster.pipeline.batches import TOO_DEEP, UNMAPPABLE, why
from muster.records import Deletion, Item, Row
from muster.settings import Source

Observed = tuple[Row | Deletion, datetime]
Refusals = list[tuple[Item, str]]


class Read(NamedTuple):
    """One item by its line in raw, and its rows, or the reason why it has none.

    The item itself is many times as large; where it is wanted again, its line tells it.
    """

    line: bytes
    seen_at: datetime
    rows: Sequence[Row | Deletion] = ()
    reason: str = ""
    item: Item | None = None


def reader(source: Source) -> Callable[[Item, bytes], Read]:
    """A function that maps an item of this source, and lets go of it."""
    platform = sources.platform(source.platform)

    def read(item: Item, line: bytes) -> Read:
        try:
            if item.body == TOO_DEEP:
                raise Refused(TOO_DEEP)
            return Read(line, item.seen_at, list(platform.rows(item, source)))
        except Exception as error:  # Whatever it is: its page is stored all the same.
            return Read(line, item.seen_at, (), why(error), item)

    return read


def mapped(source: Source, items: Iterable[Item]) -> tuple[list[Observed], Refusals]:
    """The rows of items with when they were seen, and the items refused with their reasons."""
    read = reader(source)
    return taken([read(item, b"")._replace(item=item) for item in items])


def taken(reads: Sequence[Read]) -> tuple[list[Observed], Refusals]:
    """The same of items that were read before."""
    do_fit = fitting.do_fit([row for read in reads for row in read.rows])
    rows: list[Observed] = []
    refused: Refusals = []
    for read in reads:
        if reason := read.reason or ("" if do_fit else _refusal(read.rows)):
            refused.append((read.item or raw.item_of(str(read.line, "utf-8")), reason))
        else:
            rows += [(row, read.seen_at) for row in read.rows]
    return rows, refused


def _refusal(rows: Iterable[Row | Deletion]) -> str:
    """Why their tables cannot hold these rows; empty if they can."""
    try:
        for row in rows:
            cells.accept(row)
    except UNMAPPABLE as error:
        return why(error)
    return ""
