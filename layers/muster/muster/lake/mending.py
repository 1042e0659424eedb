"""Objects with faults → the same rows as the lake writes them; what cannot be mended goes aside.

Every step is one conditional put or delete, and a row is added where it belongs before it is taken
from where it does not: killed anywhere, nothing is lost, and mending again ends in the same lake.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from muster.errors import Conflict, StoreRefused
from muster.lake import aside, checking, parquet
from muster.lake.cells import Cells
from muster.lake.merge import PART_BYTES, Key, mentioned, merge_month
from muster.lake.places import Place, place_of
from muster.lake.settle import Seen, settle
from muster.records import Table
from muster.store import Store, Stored

TRIES = 20
# So many missing parts in a row are made as empty ones.
FILLED = 16
_Done = TypeVar("_Done")


@dataclass(frozen=True)
class Part:
    """A part as it was read: its place, its rows in today's schema, its ETag."""

    place: Place
    rows: pa.Table
    is_full: bool
    etag: str


def again(change: Callable[[], _Done], what: str) -> _Done:
    """Do it, however often somebody else was first."""
    for _ in range(TRIES):
        try:
            return change()
        except Conflict:
            continue
    raise Conflict(f"{what} kept changing: repair again when fewer runs are at work")


def set_aside(store: Store, key: str) -> str:
    """Take an object out of the lake as it is, and return where it lies now; empty if gone."""

    def change() -> str:
        try:
            stored = store.get(key)
        except StoreRefused:  # Its name says more than one thing: nobody here can move it.
            return ""
        return aside.take_away(store, key, stored.data, stored.etag) if stored else ""

    return again(change, store.url(key))


def rewrite(store: Store, place: Place) -> str:
    """Write an object anew: whole rows, each key once, sorted, in today's schema.

    Returns where rows without what their table requires were set aside; empty if there were none.
    """

    def change() -> str:
        stored = store.get(place.key)
        if stored is None:
            return ""
        part = _opened(place, stored)
        broken = checking.unwhole(place.table, part.rows)
        kept = ""
        if pc.any(broken, min_count=0).as_py():
            kept = aside.keep(store, place.key, _plain(part.rows.filter(broken)))
        whole = _once(place.table, part.rows.filter(pc.invert(broken)))
        _put(store, replace(part, rows=whole))
        return kept

    return again(change, store.url(place.key))


def _once(table: Table, rows: pa.Table) -> pa.Table:
    """The rows with those of one key settled into one."""
    if not checking.doubles(table, rows):
        return rows
    names = list(table.key)
    counted = rows.select(names).group_by(names).aggregate([([], "count_all")])
    twice = counted.filter(pc.greater(counted.column("count_all"), 1)).select(names)
    mask = _holds(table, rows, {_key(table, row) for row in twice.to_pylist()})
    found: dict[Key, list[Cells]] = {}
    for row in parquet.cells(rows.filter(mask)):
        found.setdefault(_key(table, row), []).append(row)
    settled = [_settled(table, one) for one in found.values()]
    return pa.concat_tables([rows.filter(pc.invert(mask)), parquet.arrow(table, settled)])


def misplaced(store: Store, place: Place) -> list[Key]:
    """The keys of a part whose rows belong into another month."""
    part = _read(store, place.key)
    if part is None:
        return []
    rows = part.rows.filter(checking.misplaced(place, part.rows)).select(place.table.key)
    return [_key(place.table, row) for row in rows.to_pylist()]


def close_parts(store: Store, places: Iterable[Place]) -> int:
    """Make every part of a month but the last full, and a missing one empty; how many it took.

    No row moves: a merge then looks for a key in every part, as it must. Only a part with a number
    far beyond the others' takes the next one: the gap would be filled with too many.
    """
    numbers: list[int] = []
    for place in sorted(places):
        wanted = numbers[-1] + 1 if numbers else 0
        if place.part - wanted > FILLED:
            place = _renumbered(store, place, wanted)
        numbers.append(place.part)
    return sum(_close(store, replace(place, part=part)) for part in range(numbers[-1]))


def _renumbered(store: Store, place: Place, part: int) -> Place:
    stored, moved = store.get(place.key), replace(place, part=part)
    if stored is not None:
        store.put(moved.key, stored.data, if_new=True)
        store.delete(place.key, if_match=stored.etag)
    return moved


def _close(store: Store, place: Place) -> bool:
    def change() -> bool:
        stored = store.get(place.key)
        if stored is None:
            rows = parquet.schema(place.table.row).empty_table()
            data = parquet.encode(place.table, rows, limit=0)
            store.put(place.key, data, if_new=True)
            return True
        part = _opened(place, stored)
        if not part.is_full:
            _put(store, replace(part, is_full=True))
        return not part.is_full

    return again(change, store.url(place.key))


def gather(store: Store, table: Table, where: Mapping[Key, Iterable[str]]) -> int:
    """Bring the rows of each key together in the part they belong in; ``where`` names the objects.

    Rows of one key are settled as a merge would. Returns how many rows were taken away elsewhere.
    """
    return again(lambda: _gather(store, table, where), f"tables/{table.name}")


def _gather(store: Store, table: Table, where: Mapping[Key, Iterable[str]]) -> int:
    names = sorted({key for found in where.values() for key in found})
    parts = [part for name in names if (part := _read(store, name))]
    copies: dict[Key, list[tuple[Cells, Place]]] = {}
    for part in parts:
        for row in parquet.cells(part.rows.filter(_holds(table, part.rows, where))):
            copies.setdefault(_key(table, row), []).append((row, part.place))
    homes = _brought(store, table, copies)
    return sum(_drop(store, part, copies, homes) for part in parts)


def _brought(
    store: Store, table: Table, copies: Mapping[Key, list[tuple[Cells, Place]]]
) -> dict[Key, str]:
    """Merge the copies into the month they belong in, and tell that month's folder by key."""
    homes: dict[Key, str] = {}
    batches: dict[str, dict[Key, list[Seen]]] = {}
    for key, found in copies.items():
        rows = _in_time(row for row, _ in found)
        homes[key] = _home(found[0][1], _settled(table, rows))
        batch = batches.setdefault(homes[key], {})
        batch[key] = [Seen(row, row["observed_at"]) for row in rows]
    for folder, batch in batches.items():
        merge_month(store, table, folder, batch)
    return homes


def _home(found: Place, row: Cells) -> str:
    """The folder of the month that a row belongs in."""
    month = found.table.month
    return replace(found, month=f"{row[month]:%Y-%m}").folder if month else found.folder


def _drop(
    store: Store,
    part: Part,
    copies: Mapping[Key, list[tuple[Cells, Place]]],
    homes: Mapping[Key, str],
) -> int:
    """Take out of a part the keys whose home is another month, or an earlier part of this one."""
    gone = [
        key
        for key, found in copies.items()
        if part.place.folder != homes[key]
        or any(place.folder == homes[key] and place.part < part.place.part for _, place in found)
    ]
    mask = _holds(part.place.table, part.rows, gone)
    count = int(pc.sum(mask).as_py() or 0)
    if count:
        _shrink(store, replace(part, rows=part.rows.filter(pc.invert(mask))))
    return count


def _shrink(store: Store, part: Part) -> None:
    """Write what is left of a part; an open one without rows goes, a full one keeps its place."""
    if len(part.rows) or part.is_full:
        _put(store, part)
    else:
        store.delete(part.place.key, if_match=part.etag)


def split(store: Store, place: Place, last: int, size: int = PART_BYTES) -> int:
    """Split a part far above its size, and return into how many; ``last`` is its month's last part.

    The new parts come first, then the old one gives its rows up: killed between, keys stand twice
    until they are gathered.
    """
    close_parts(store, [replace(place, part=last + 1)])
    part = _read(store, place.key)
    if part is None or not len(part.rows):  # Somebody else has emptied it meanwhile.
        return 0
    step = max(1, len(part.rows) * size // max(1, part.rows.nbytes))
    pieces = [part.rows.slice(start, step) for start in range(0, len(part.rows), step)]
    for number, rows in enumerate(pieces[1:], last + 1):
        data = parquet.encode(place.table, rows, limit=0)
        store.put(replace(place, part=number).key, data, if_new=True)
    _put(store, replace(part, rows=pieces[0]))
    return len(pieces)


def _read(store: Store, key: str) -> Part | None:
    place, stored = place_of(key), store.get(key)
    return _opened(place, stored) if place and stored else None


def _opened(place: Place, stored: Stored) -> Part:
    found = parquet.decode(place.table, stored.data, place.key)
    return Part(place, found.rows, found.is_full, stored.etag)


def _put(store: Store, part: Part) -> None:
    data = parquet.encode(part.place.table, part.rows, limit=PART_BYTES, is_full=part.is_full)
    store.put(part.place.key, data, if_match=part.etag)


def _holds(table: Table, rows: pa.Table, keys: Collection[Key]) -> Any:
    """A mask of the rows whose key is one of these."""
    likely = mentioned(table, rows, keys) if keys else pa.repeat(False, len(rows))
    if len(table.key) == 1 or not keys:
        return likely
    found = zip(likely.to_pylist(), rows.select(table.key).to_pylist(), strict=True)
    return pa.array([one and _key(table, row) in keys for one, row in found], pa.bool_())


def _key(table: Table, row: Cells) -> Key:
    return tuple(row[name] for name in table.key)


def _settled(table: Table, rows: Iterable[Cells]) -> Cells:
    """What the rows of one key say together, as if each had been observed in turn."""
    first, *others = _in_time(rows)
    seen = (Seen(row, row["observed_at"]) for row in others)
    return reduce(lambda now, one: settle(table, now, one) or now, seen, first)


def _in_time(rows: Iterable[Cells]) -> list[Cells]:
    return sorted(rows, key=lambda row: (row["observed_at"], repr(row)))


def _plain(rows: pa.Table) -> bytes:
    """Rows as Parquet, whatever they lack."""
    sink = pa.BufferOutputStream()
    open_schema = pa.schema([field.with_nullable(True) for field in rows.schema])
    pq.write_table(rows.cast(open_schema), sink, compression="zstd")
    return sink.getvalue().to_pybytes()
