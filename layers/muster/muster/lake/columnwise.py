"""Many stored rows and one later look at each, as columns → what is true now.

What ``settle`` says of each row alone, said of all at once; only for tables in which nothing is
worked out of a text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import eq
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from muster.lake.observed import keys_of
from muster.records import Table


@dataclass(frozen=True)
class Many:
    """The rows that were settled, how many of them changed; the other rows, and what is left."""

    rows: pa.Table
    changed: int
    others: pa.Table
    left: pa.Table


def settle(table: Table, held: pa.Table, once: pa.Table) -> Many:
    """Settle stored rows that were seen once, no earlier than they are held."""
    if table.derived:
        return Many(held.slice(0, 0), 0, held, once)
    place = {key: at for at, key in enumerate(keys_of(table, once))}
    found = [place.get(key) for key in keys_of(table, held)]
    held_once = held.filter(_mask(at is not None for at in found))
    told = once.take(pa.array([at for at in found if at is not None], pa.int64()))
    is_plain = _is_plain(held_once, told)
    rows, changed = settled(table, held_once.filter(is_plain), told.filter(is_plain))
    _, others = apart(table, held, rows)
    _, left = apart(table, once, rows)
    return Many(rows, changed, others, left)


def apart(table: Table, rows: pa.Table, others: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows whose key is among the others', and those whose key is not."""
    if not len(others):
        return rows.slice(0, 0), rows
    among = set(keys_of(table, others))
    mask = _mask(key in among for key in keys_of(table, rows))
    return rows.filter(mask), rows.filter(pc.invert(mask))


def _mask(found: Iterable[bool]) -> pa.Array:
    return pa.array(list(found), pa.bool_())


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
