"""Many stored rows and one later look at each, as columns → what is true now.

What ``settle`` says of each row alone, said of all at once; only for tables in which nothing is
worked out of a text.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import eq
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from muster.lake import parquet
from muster.lake.observed import Batch, Key, is_alive
from muster.lake.settle import Seen
from muster.records import Table


@dataclass(frozen=True)
class Many:
    """The rows that were settled, how many of them changed; the other rows, and what is left."""

    rows: pa.Table
    changed: int
    others: pa.Table
    left: Batch


def settle(table: Table, held: pa.Table, batch: Batch) -> Many:
    """Settle what was seen once, no earlier than it is held, and nobody deleted."""
    if table.derived:
        return Many(held.slice(0, 0), 0, held, batch)
    keys = _keys(table, held)
    seen = [_once(batch.get(key)) for key in keys]
    mask = pa.array([one is not None for one in seen], pa.bool_())
    told = parquet.in_columns(table, [one for one in seen if one], {})
    is_plain = _is_plain(held.filter(mask), told)
    rows, changed = settled(table, held.filter(mask).filter(is_plain), told.filter(is_plain))
    done = set(_keys(table, rows))
    others = held.filter(pa.array([key not in done for key in keys], pa.bool_()))
    return Many(rows, changed, others, {key: batch[key] for key in batch if key not in done})


def _keys(table: Table, rows: pa.Table) -> list[Key]:
    return list(zip(*(rows.column(name).to_pylist() for name in table.key), strict=True))


def _once(seen: list[Seen] | None) -> Seen | None:
    """The only observation of a key, if it is of something alive."""
    return seen[0] if seen and len(seen) == 1 and is_alive(seen[0]) else None


def _is_plain(held: pa.Table, seen: pa.Table) -> Any:
    mask = pc.greater_equal(seen.column("observed_at"), held.column("observed_at"))
    if "deleted_at" in held.column_names:
        mask = pc.and_(mask, pc.is_null(held.column("deleted_at")))
    return mask


def settled(table: Table, held: pa.Table, seen: pa.Table) -> tuple[pa.Table, int]:
    """The rows after the look at each, in the same order, and how many it changed."""
    columns = {}
    same: Any = pa.chunked_array([pa.repeat(True, len(held))])
    for name in held.column_names:
        stored, told = held.column(name), seen.column(name)
        if name in table.keep_first:
            told = stored
        elif table.fill:
            told = pc.coalesce(told, stored)
        if name != "observed_at":
            same = pc.and_(same, _equal(stored, told))
        columns[name] = told
    columns["observed_at"] = pc.if_else(same, held.column("observed_at"), columns["observed_at"])
    rows = pa.Table.from_arrays(list(columns.values()), schema=held.schema)
    return rows, len(held) - pc.sum(same, min_count=0).as_py()


def _equal(one: Any, other: Any) -> Any:
    """A mask of the equal ones; null is equal to null. Arrow compares no lists."""
    if one.equals(other):
        return pa.repeat(True, len(one))
    if pa.types.is_list(one.type):
        return pa.array(map(eq, one.to_pylist(), other.to_pylist()), pa.bool_())
    both_null = pc.and_(pc.is_null(one), pc.is_null(other))
    return pc.or_(pc.fill_null(pc.equal(one, other), False), both_null)
