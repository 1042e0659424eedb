"""Rows and deletions as they were observed → what they say of every month of every table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from muster.lake import parquet
from muster.lake.cells import month
from muster.lake.gathered import Gathered, Observed
from muster.lake.parquet import PLACE
from muster.lake.settle import Seen
from muster.records import TABLE_OF, TABLES, Deletion, Table

Key = tuple[Any, ...]
Batch = dict[Key, list[Seen]]
Turn = tuple[datetime, int, Any]  # when something was observed, its place among all, and what


@dataclass(frozen=True)
class Sighted:
    """Rows of a table as they were observed, as columns, and the deletions among them."""

    table: Table
    rows: pa.Table
    deletions: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class Looks:
    """What was seen of a month of a table: living rows of keys that were seen once, as columns;
    each other key's observations, in the order they were made.
    """

    table: Table
    once: pa.Table
    others: Batch

    @cached_property
    def keys(self) -> frozenset[Key]:
        """Every key that was seen."""
        return frozenset((*keys_of(self.table, self.once), *self.others))


def keys_of(table: Table, rows: pa.Table) -> list[Key]:
    """The primary key of each row of an Arrow table."""
    return list(zip(*(rows.column(name).to_pylist() for name in table.key), strict=True))


def batches(rows: Iterable[Observed], most: int, chars: int) -> Iterator[list[Observed]]:
    """Batches bounded by rows and, as a few texts can be huge, by characters."""
    batch: list[Observed] = []
    room = chars
    for pair in rows:
        batch.append(pair)
        room -= len(getattr(pair[0], "text", None) or "")
        if len(batch) >= most or room <= 0:
            yield batch
            batch, room = [], chars
    if batch:
        yield batch


def sighted(found: Iterable[Gathered]) -> Iterator[Sighted]:
    """What was gathered, in Arrow's columns: a fifth of the memory, and no more work for Python."""
    for one in found:
        if one.kind is not Deletion:
            yield Sighted(TABLES[TABLE_OF[one.kind]], parquet.in_columns(one))
            continue
        messages = TABLES["messages"]  # a deletion goes where its message is
        turns = zip(one.observed_at, one.places, one.rows, strict=True)
        yield Sighted(messages, parquet.in_columns(Gathered(messages.row, [], [], [])), (*turns,))


def by_month(found: Iterable[Sighted]) -> Iterator[tuple[str | None, Looks]]:
    """What was sighted, by month and table."""
    for one in _together(found):
        months, gone = parquet.by_month(one.table, one.rows), dict[str | None, list[Turn]]()
        for turn in one.deletions:
            gone.setdefault(month(one.table, turn[2]), []).append(turn)
        for of_month in {**months, **gone}:
            rows = months.get(of_month, one.rows.slice(0, 0))
            yield of_month, _looks(one.table, rows, gone.get(of_month, []))


def _together(found: Iterable[Sighted]) -> Iterator[Sighted]:
    """All of one table at once."""
    tables: dict[Table, list[Sighted]] = {}
    for one in found:
        tables.setdefault(one.table, []).append(one)
    for table, its in tables.items():
        rows = pa.concat_tables([one.rows for one in its]).combine_chunks()
        deletions = tuple(chain.from_iterable(one.deletions for one in its))
        its.clear()  # their rows are twice in memory now
        yield Sighted(table, rows, deletions)


def _looks(table: Table, rows: pa.Table, deletions: list[Turn]) -> Looks:
    keys, gone = keys_of(table, rows), [(turn[2].message_id,) for turn in deletions]
    times = Counter(chain(keys, gone))
    is_once: Any = pa.array([times[key] == 1 for key in keys], pa.bool_())
    if "deleted_at" in rows.column_names:
        is_once = pc.and_(is_once, pc.is_null(rows.column("deleted_at")))
    once = parquet.only(rows, is_once).drop_columns([PLACE])
    rest = rows.filter(pc.invert(is_once))
    cells = ((row["observed_at"], row.pop(PLACE), row) for row in parquet.cells(rest))
    turns = [*zip(cells, keys_of(table, rest), strict=True), *zip(deletions, gone, strict=True)]
    others: Batch = {}
    for (observed_at, _, what), key in sorted(turns, key=lambda one: one[0][:2]):
        others.setdefault(key, []).append(Seen(what, observed_at))
    return Looks(table, once, others)
