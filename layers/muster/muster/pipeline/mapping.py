"""API items → rows of the lake, and what no table can hold with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count, groupby
from typing import NamedTuple

from muster import sources
from muster.errors import Refused
from muster.lake import cells, fitting
from muster.lake.gathered import Gathered, Observed, gathered
from muster.lake.observed import Sighted, sighted
from muster.pipeline.batches import TOO_DEEP, UNMAPPABLE, Held, why
from muster.pipeline.repeats import Repeats
from muster.records import Deletion, Item, Row
from muster.settings import Source

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


class _Mapped(NamedTuple):
    """An item and its rows, or the reason why it has none."""

    item: Item
    rows: Sequence[Row | Deletion]
    reason: str = ""


def reader(source: Source, repeats: Repeats | None = None) -> Callable[[Sequence[Held]], Read]:
    """A function that maps items of this source and lets go of them, and of rows that repeat."""
    rows_of, places = _mapping(source), count()

    def read(held: Sequence[Held]) -> Read:
        found, refused = _taken([rows_of(item) for item, _ in held], repeats, places)
        days = groupby(held, key=lambda one: one[0].seen_at.date())
        lines = [(day, b"\n".join([*(line for _, line in its), b""])) for day, its in days]
        return Read(len(held), lines, list(sighted(found)), refused)

    return read


def mapped(source: Source, items: Iterable[Item]) -> tuple[list[Observed], Refusals]:
    """The rows of items with when they were seen, and the items refused with their reasons."""
    found = [_accepted(one) for one in map(_mapping(source), items)]
    return list(_observed(found)), _refused(found)


def _mapping(source: Source) -> Callable[[Item], _Mapped]:
    platform = sources.platform(source.platform)

    def rows_of(item: Item) -> _Mapped:
        try:
            if item.body == TOO_DEEP:
                raise Refused(TOO_DEEP)
            return _Mapped(item, list(platform.rows(item, source)))
        except Exception as error:  # Whatever it is: its page is stored all the same.
            return _Mapped(item, (), why(error))

    return rows_of


def _taken(
    found: Sequence[_Mapped], repeats: Repeats | None, places: Iterator[int]
) -> tuple[list[Gathered], Refusals]:
    """Rows that fit and do not repeat, and the items refused."""
    news = repeats.news if repeats else list[Observed]
    rows = gathered(news(_observed(found)), places)
    if all(map(fitting.do_fit, rows)):
        return rows, _refused(found)
    if repeats:
        repeats.forget()  # What was told beside something refused is not stored.
    found = [_accepted(one) for one in found]
    return gathered(news(_observed(found)), places), _refused(found)


def _observed(found: Iterable[_Mapped]) -> Iterator[Observed]:
    return ((row, one.item.seen_at) for one in found for row in one.rows)


def _refused(found: Iterable[_Mapped]) -> Refusals:
    return [(one.item, one.reason) for one in found if one.reason]


def _accepted(one: _Mapped) -> _Mapped:
    """The same, without rows and with the reason if their tables cannot hold them."""
    try:
        for row in one.rows:
            cells.accept(row)
    except UNMAPPABLE as error:
        return _Mapped(one.item, (), why(error))
    return one
