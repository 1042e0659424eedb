"""API items → rows of the lake, and what no table can hold with the reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count, groupby
from operator import is_
from typing import NamedTuple

from muster import sources
from muster.errors import Refused
from muster.lake import cells, fitting, raw
from muster.lake.gathered import Gathered, Observed, gathered
from muster.lake.observed import Sighted, sighted
from muster.pipeline.received import TOO_DEEP, received
from muster.pipeline.repeats import Repeats
from muster.records import Deletion, Item, Row
from muster.settings import Source
from muster.sources._answer import plain

# What code stumbles over in a shape it does not know; OSError is what a time beyond the calendar
# of the machine gives.
UNMAPPABLE = (
    Refused, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError,
    RecursionError,
)  # fmt: skip
LONGEST = 500  # letters of a reason

Refusals = list[tuple[Item, str]]


@dataclass(frozen=True)
class Read:
    """Some items: their lines in raw by day, their rows as columns, and what has no rows and why.

    The items themselves are many times as large; where they are wanted again, their lines tell.
    """

    count: int
    lines: Sequence[tuple[date, bytes]]
    found: Sequence[Sighted]
    refused: Refusals


class Mapped(NamedTuple):
    """When an item was seen, its line in raw and its rows, or the reason why it has none.

    The item is let go of at once: the next one finds its place in the processor's cache.
    """

    seen_at: datetime
    line: bytes
    rows: Sequence[Row | Deletion]
    reason: str = ""


def mapper(source: Source, secrets: Collection[str] = ()) -> Callable[[Item], Mapped]:
    """A function that maps an item of this source.

    ``secrets`` (which may grow meanwhile) are what the platform sent back to us.
    """
    platform = sources.platform(source.platform)

    def rows_of(item: Item) -> Mapped:
        item, line = received(item, tuple(secrets))
        try:
            if item.body == TOO_DEEP:
                raise Refused(TOO_DEEP)
            return Mapped(item.seen_at, line, list(platform.rows(item, source)))
        except Exception as error:  # Whatever it is: its page is stored all the same.
            return Mapped(item.seen_at, line, (), why(error))

    return rows_of


def reader(repeats: Repeats | None = None) -> Callable[[Sequence[Mapped]], Read]:
    """A function that takes what fits of some items, lets go of them, and of rows that repeat."""
    places = count()

    def read(found: Sequence[Mapped]) -> Read:
        rows, refused = _taken(found, repeats, places)
        days = groupby(found, key=lambda one: one.seen_at.date())
        lines = [(day, b"\n".join([*(one.line for one in its), b""])) for day, its in days]
        return Read(len(found), lines, list(sighted(rows)), refused)

    return read


def mapped(source: Source, items: Iterable[Item]) -> tuple[list[Observed], Refusals]:
    """The rows of items with when they were seen, and the items refused with their reasons."""
    found = [_accepted(one) for one in map(mapper(source), items)]
    return list(_observed(found)), _refused(found)


def why(error: BaseException) -> str:
    """What cannot be mapped, in one line: words of strangers stand in it."""
    kind, said = type(error).__name__, plain(str(error), LONGEST)
    return (said or kind) if isinstance(error, Refused) else f"{kind}: {said}"


def _taken(
    found: Sequence[Mapped], repeats: Repeats | None, places: Iterator[int]
) -> tuple[list[Gathered], Refusals]:
    """Rows that fit and do not repeat, and the items refused."""
    news = repeats.news if repeats else list[Observed]
    rows = gathered(news(_observed(found)), places)
    if all(map(fitting.do_fit, rows)):
        return rows, _refused(found)
    accepted = [_accepted(one) for one in found]
    if all(map(is_, accepted, found)):
        return rows, _refused(found)
    if repeats:
        repeats.forget()  # What was told beside something refused is not stored.
    return gathered(news(_observed(accepted)), places), _refused(accepted)


def _observed(found: Iterable[Mapped]) -> Iterator[Observed]:
    return ((row, one.seen_at) for one in found for row in one.rows)


def _refused(found: Iterable[Mapped]) -> Refusals:
    return [(raw.item_of(one.line.decode()), one.reason) for one in found if one.reason]


def _accepted(one: Mapped) -> Mapped:
    """The same, without rows and with the reason if their tables cannot hold them."""
    try:
        for row in one.rows:
            cells.accept(row)
    except UNMAPPABLE as error:
        return one._replace(rows=(), reason=why(error))
    return one
