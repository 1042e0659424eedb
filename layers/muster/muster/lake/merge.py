"""Observed rows and deletions → the objects of their months, by key and conditional put.

A month has one object, ``part-0``. One that reached the size limit is marked full: it is rewritten
for its own rows only, and new keys go to the next part. So no row ever moves between objects,
every write is one put, and a reader sees each key once at any instant.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import count
from operator import ne
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from muster.errors import Conflict, StoreRefused
from muster.lake import columnwise, parquet, rewriting
from muster.lake.cells import Cells
from muster.lake.gathered import Observed, gathered
from muster.lake.observed import Batch, Key, Looks, Sighted, batches, by_month, keys_of, sighted
from muster.lake.settle import Seen, settle
from muster.names import SOURCE_NAME
from muster.records import Deletion, Table
from muster.store import Store, Stored

BATCH_ROWS = 20_000
BATCH_CHARS = 32 * 1024 * 1024
PART_BYTES = 48 * 1024 * 1024
TRIES = 40

Heard = Callable[[Deletion], None]
Columns = Mapping[str, list[Any]]
Derive = Callable[[Columns], Columns]


@dataclass(frozen=True)
class Rules:
    """Size of a batch and of a part (in memory), and how to wait after a lost race."""

    batch_rows: int = BATCH_ROWS
    batch_chars: int = BATCH_CHARS
    part_bytes: int = PART_BYTES
    tries: int = TRIES
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class _Month:
    """The objects of one month of one table of one source."""

    store: Store
    table: Table
    folder: str
    rules: Rules
    derive: Derive

    def key(self, k: int) -> str:
        return f"{self.folder}/part-{k}.parquet"

    def complete(self, once: pa.Table, settled: list[Cells]) -> tuple[pa.Table, list[Cells]]:
        """Rows as columns and settled ones, both with what is worked out of their text."""
        derived = self.table.derived
        if not derived or not (len(once) or settled):
            return once, settled
        told = {
            name: [*once.column(name).to_pylist(), *(row[name] for row in settled)]
            for name in ("text", *derived)
        }
        found = self.derive(told)
        for name in derived:
            once = parquet.replaced(once, name, found[name][: len(once)])
        done = zip(*(found[name][len(once) :] for name in derived), strict=True)
        pairs = zip(settled, done, strict=True)
        return once, [row | dict(zip(derived, more, strict=True)) for row, more in pairs]


@dataclass(frozen=True)
class _Merged:
    """What a part took: its changed rows, and what no part up to it holds."""

    changed: int
    left: Looks
    is_last: bool


def merge(
    store: Store,
    source: str,
    rows: Iterable[Observed],
    *,
    rules: Rules | None = None,
    on_unknown: Heard = lambda _: None,
    derive: Derive = lambda told: told,
) -> dict[str, int]:
    """Merge rows, each with when it was observed, and return the changed rows per table.

    ``derive`` is told the texts of settled rows, and what is worked out of them as far as it is
    known, as columns, and gives the latter completed; what is stored is not worked out again, but
    after a lost race it may be asked twice. ``on_unknown`` hears of each
    deletion of a message the lake has never held. ``Conflict`` if other runs won every race.
    """
    rules = rules or Rules()
    batched = batches(rows, rules.batch_rows, rules.batch_chars)
    found = (sighted(gathered(batch)) for batch in batched)
    return merge_sighted(store, source, found, rules=rules, on_unknown=on_unknown, derive=derive)


def merge_sighted(
    store: Store,
    source: str,
    found: Iterable[Iterable[Sighted]],
    *,
    rules: Rules = Rules(),
    on_unknown: Heard = lambda _: None,
    derive: Derive = lambda told: told,
) -> dict[str, int]:
    """The same of batches of what was sighted."""
    if not re.fullmatch(SOURCE_NAME, source):
        raise StoreRefused(f"source {source[:80]!r}: its name may hold a-z, 0-9, - and _ only")
    changed: dict[str, int] = {}
    for batch in found:
        for of_month, looks in by_month(batch):
            name = looks.table.name
            place = _Month(store, looks.table, _folder(name, source, of_month), rules, derive)
            changed[name] = changed.get(name, 0) + _merge_month(place, looks, on_unknown)
    return changed


def _folder(table: str, source: str, of_month: str | None) -> str:
    folder = f"tables/{table}/source={source}"
    return folder if of_month is None else f"{folder}/month={of_month}"


def merge_month(store: Store, table: Table, folder: str, batch: Batch) -> int:
    """Merge observations into the month that is this folder; how many rows it changed."""
    place = _Month(store, table, folder, Rules(), lambda told: told)
    return _merge_month(place, Looks(table, parquet.arrow(table, []), batch), lambda _: None)


def _merge_month(place: _Month, looks: Looks, on_unknown: Heard) -> int:
    changed, left = 0, looks
    for k in count():
        merged = _merge_part(place, k, left)
        changed, left = changed + merged.changed, merged.left
        if merged.is_last:
            break
    for observations in left.others.values():
        for seen in observations:
            if isinstance(seen.what, Deletion):
                on_unknown(seen.what)
    return changed


def _merge_part(place: _Month, k: int, looks: Looks) -> _Merged:
    for attempt in range(place.rules.tries):
        stored = place.store.get(place.key(k))
        try:
            return _open_part(place, k, looks) if stored is None else _into(place, k, stored, looks)
        except Conflict:
            place.rules.sleep(random.uniform(0, min(2.0, 0.02 * 2**attempt)))
    raise Conflict(
        f"{place.store.url(place.key(k))} changed {place.rules.tries} times while merging: "
        "run again with fewer runs at once"
    )


def _open_part(place: _Month, k: int, looks: Looks) -> _Merged:
    """Start part ``k``: every part before it is full, so no other run can add these keys there."""
    table = place.table
    fresh, unknown = _fresh(table, looks.others)
    if len(looks.once) or fresh:
        once, fresh = place.complete(looks.once, fresh)
        rows = pa.concat_tables([once, parquet.arrow(table, fresh)])
        data = parquet.encode(table, rows, limit=place.rules.part_bytes)
        place.store.put(place.key(k), data, if_new=True)
    left = Looks(table, looks.once.slice(0, 0), unknown)
    return _Merged(len(looks.once) + len(fresh), left, True)


def _into(place: _Month, k: int, stored: Stored, looks: Looks) -> _Merged:
    """Rewrite part ``k`` for the keys it has, and for new ones too unless it is full."""
    table = place.table
    part = parquet.opened(table, stored.data, place.store.url(place.key(k)))
    mask = mentioned(table, part.read(table.key), looks.keys)
    if part.is_full and not pc.any(mask, min_count=0).as_py():
        return _Merged(0, looks, False)
    many = columnwise.settle(table, rewriting.picked(part, mask), looks.once)
    again, new = columnwise.apart(table, many.left, many.others)
    held = parquet.cells(many.others)
    settled, left = _settled(table, held, looks.others | _by_key(table, again))
    once, fresh = new.slice(0, 0), list[Cells]()
    if not part.is_full:
        once, new = new, once
        fresh, left = _fresh(table, left)
    once, settled = place.complete(once, settled + fresh)
    changed = many.changed + len(once) + len(fresh) + sum(map(ne, held, settled))
    if changed:
        more = pa.concat_tables([many.rows, once, parquet.arrow(table, settled)])
        data = rewriting.rewritten(part, mask, more, limit=place.rules.part_bytes)
        place.store.put(place.key(k), data, if_match=stored.etag)
    return _Merged(changed, Looks(table, new, left), not part.is_full)


def mentioned(table: Table, keys: pa.Table, batch: Collection[Key]) -> Any:
    """A mask of the rows whose key may be in the batch (for a key of one column: is)."""
    mask = None
    for position, name in enumerate(table.key):
        values = pa.array({key[position] for key in batch}, keys.schema.field(name).type)
        found = pc.is_in(keys.column(name), value_set=values)
        mask = found if mask is None else pc.and_(mask, found)
    return mask


def _settled(table: Table, held: list[Cells], batch: Batch) -> tuple[list[Cells], Batch]:
    """The held rows after their observations, in the same order, and what is not held here."""
    settled, left = [], dict(batch)
    for row in held:
        seen = left.pop(tuple(row[name] for name in table.key), [])
        settled.append(_after(table, row, seen) or row)
    return settled, left


def _by_key(table: Table, rows: pa.Table) -> Batch:
    """Rows as observations by key."""
    seen = (Seen(row, row["observed_at"]) for row in parquet.cells(rows))
    return dict(zip(keys_of(table, rows), ([one] for one in seen), strict=True))


def _fresh(table: Table, batch: Batch) -> tuple[list[Cells], Batch]:
    """New rows, each settled, and what makes none: deletions of the unknown."""
    after = {key: _after(table, None, observations) for key, observations in batch.items()}
    unknown = {key: batch[key] for key, row in after.items() if row is None}
    return [row for row in after.values() if row is not None], unknown


def _after(table: Table, row: Cells | None, observations: list[Seen]) -> Cells | None:
    return reduce(lambda settled, seen: settle(table, settled, seen), observations, row)
