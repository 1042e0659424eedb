"""A stored part and what is new → its bytes anew, some rows at a time.

A part in memory is many times as large as its bytes. As it lies there in order, no more of it is
read at a time than what is written next needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from muster.lake import parquet
from muster.lake.parquet import Opened


def picked(part: Opened, mask: Any) -> pa.Table:
    """The rows of a part that a mask names."""
    found, at = [parquet.schema(part.table.row).empty_table()], 0
    if pc.any(mask, min_count=0).as_py():
        for rows in part.some():
            found.append(rows.filter(mask.slice(at, len(rows))))
            at += len(rows)
    return pa.concat_tables(found)


def rewritten(part: Opened, mask: Any, more: pa.Table, *, limit: int) -> bytes:
    """A part without the rows that a mask names, and with more: what ``encode`` gives of them."""
    more = more.take(parquet.in_order(part.table, more))
    some = _some(part, _order(part, mask, more), more)
    return parquet.written(part.table, some, limit=limit, is_full=part.is_full)


def _order(part: Opened, mask: Any, more: pa.Table) -> Any:
    """The places of the part's rows and, numbered after them, of more, without the masked ones."""
    keys = part.read(parquet.sorting(part.table))
    order = parquet.in_order(part.table, pa.concat_tables([keys, more.select(keys.column_names)]))
    replaced = pa.chunked_array([*mask.chunks, pa.repeat(False, len(more))])
    return order.filter(pc.invert(replaced.take(order)))


def _some(part: Opened, order: Any, more: pa.Table) -> Iterator[pa.Table]:
    """All rows in this order, some at a time."""
    count, held = part.file.metadata.num_rows, _Held(part)
    for start in range(0, len(order), parquet.SOME_ROWS):
        places = order.slice(start, parquet.SOME_ROWS).cast(pa.int64())
        is_held = pc.less(places, count)
        first, end = _span(places.filter(is_held))
        new, new_end = _span(pc.subtract(places.filter(pc.invert(is_held)), count))
        rows = [held.stretch(first, end), more.slice(new, new_end - new)]
        after = pc.subtract(places, count + new - (end - first))
        yield pa.concat_tables(rows).take(pc.if_else(is_held, pc.subtract(places, first), after))


def _span(places: Any) -> tuple[int, int]:
    """The first of some places, and the end of them."""
    if not len(places):
        return 0, 0
    found = pc.min_max(places).as_py()
    return found["min"], found["max"] + 1


class _Held:
    """The rows of a part, of which no more than a stretch is in memory."""

    def __init__(self, part: Opened) -> None:
        self._part = part
        self._begin()

    def _begin(self) -> None:
        self._rows, self._first = parquet.schema(self._part.table.row).empty_table(), 0
        self._further = self._part.some()

    def stretch(self, first: int, end: int) -> pa.Table:
        """The rows from one place to another."""
        if first == end:
            return self._rows.slice(0, 0)
        if first < self._first:  # a part that is not in order
            self._begin()
        gone = min(first - self._first, len(self._rows))
        self._rows, self._first = self._rows.slice(gone), self._first + gone
        while self._first + len(self._rows) < end:
            self._rows = pa.concat_tables([self._rows, next(self._further)])
        return self._rows.slice(first - self._first, end - first)
