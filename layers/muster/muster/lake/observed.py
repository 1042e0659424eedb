"""Observed rows and deletions, in any order → batches by table, month and key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any

from muster.lake.cells import month
from muster.lake.settle import Seen
from muster.records import TABLE_OF, TABLES, Deletion, Row, Table

Key = tuple[Any, ...]
Batch = dict[Key, list[Seen]]
Observed = tuple[Row | Deletion, datetime]


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


def by_month(rows: Iterable[Observed]) -> dict[tuple[str, str | None], Batch]:
    """Observations by table and month, then by key, each key's in the order they were made."""
    found: dict[tuple[str, str | None], Batch] = {}
    for row, observed_at in sorted(rows, key=itemgetter(1)):
        kind: Any = type(row)
        table = _table_of(kind)
        batch = found.setdefault((table.name, month(table, row)), {})
        key, seen = tuple(map(row.__getattribute__, table.key)), Seen(row, observed_at)
        if (before := batch.setdefault(key, [seen]))[-1] is not seen:
            before.append(seen)
    return found


@cache
def _table_of(kind: Any) -> Table:
    """Where rows of a kind go; a deletion goes where its message is."""
    return TABLES["messages" if kind is Deletion else TABLE_OF[kind]]


def apart(batch: Batch) -> tuple[list[Seen], Batch]:
    """What was seen once of keys that nobody deleted, and the other observations."""
    plain, others = [], {}
    for key, seen in batch.items():
        if len(seen) == 1 and is_alive(seen[0]):
            plain.append(seen[0])
        else:
            others[key] = seen
    return plain, others


def is_alive(seen: Seen) -> bool:
    """Whether it is a row, and not one of something deleted."""
    return type(seen.what) in TABLE_OF and getattr(seen.what, "deleted_at", None) is None
