"""The log of decisions about persons, and ``person_id`` of the members' rows, in the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from muster.errors import Conflict, SourceFailed
from muster.lake import parquet
from muster.lake.merge import PART_BYTES
from muster.lake.persons import OURS, Account, Decision
from muster.records import TABLES
from muster.remembered import WRITTEN_ANEW, Remembered, from_json
from muster.store import Store

LOG = "people/decisions.json"
SETTLED = "people/settled.json"
MEMBERS = TABLES["members"]
_READ = (
    "member_id", "handle", "display_name", "role", "is_bot", "person_id", "links", "email_hash",
)  # fmt: skip
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Held:
    """A member's row as far as persons go."""

    source: str
    member_id: str
    handle: str | None
    display_name: str | None
    role: str
    is_bot: bool
    person_id: str | None
    links: list[str] | None
    email_hash: str | None

    @property
    def account(self) -> Account:
        """Its source and its id there."""
        return self.source, self.member_id

    @property
    def is_given(self) -> bool:
        """Whether an import named its person."""
        return bool(self.person_id) and not str(self.person_id).startswith(OURS)


def load(store: Store) -> tuple[Decision, ...]:
    """Every decision, oldest first."""
    return DECISIONS.get(store, LOG) or ()


def change(
    store: Store, step: Callable[[tuple[Decision, ...]], Iterable[Decision]]
) -> tuple[Decision, ...]:
    """The log after ``step(log)``; if somebody else wrote first, ``step`` is asked again."""
    for _ in range(_TRIES):
        stored = store.get(LOG)
        log = DECISIONS.read(store.url(LOG), stored.data) if stored else ()
        after = tuple(step(log))
        if after == log:
            return log
        try:
            store.put(LOG, _to_json(after), if_match=stored.etag if stored else None,
                      if_new=stored is None)  # fmt: skip
        except Conflict:
            continue
        return after
    raise Conflict(f"{store.url(LOG)} kept changing: run again with fewer runs at once")


def rename(store: Store, account: Account, pseudonym: str) -> None:
    """An erased account stands under its pseudonym; what spoke for its decisions is gone.

    Who is one person with it stays so, and with it every count of persons.
    """

    def renamed(one: Account) -> Account:
        return (one[0], pseudonym) if one == account else one

    def without(one: Decision) -> Decision:
        if account not in one.pair:
            return one
        first, second = one.pair
        return replace(one, pair=(renamed(first), renamed(second)), evidence=("erased",))

    change(store, lambda log: map(without, log))


def sources(store: Store) -> frozenset[str]:
    """Every source that has members."""
    return frozenset(source for _, source in _parts(store))


def members(store: Store) -> Iterator[Held]:
    """Every member of every source."""
    for key, source in _parts(store):
        stored = store.get(key)
        if stored:
            rows = parquet.decode(MEMBERS, stored.data, store.url(key), _READ).rows
            for row in rows.select(_READ).to_pylist():
                yield Held(source, **row)


def objects(store: Store) -> dict[str, str]:
    """The members' objects by key, with their ETags."""
    return {entry.key: entry.etag for entry in store.list("tables/members/")}


def settled(store: Store) -> dict[str, str]:
    """The objects as they were when every decision stood in them."""
    return _AS_SETTLED.spare(store, SETTLED) or {}


def note_settled(store: Store, found: Mapping[str, str]) -> None:
    """Remember that nothing is to be written into these."""
    store.put(SETTLED, json.dumps(found, indent=1).encode())


def apply(store: Store, ids: Mapping[Account, str]) -> int:
    """Write the ids of decisions into the members' rows; returns how many rows changed.

    Where ``ids`` has none, an id that a decision made goes; one that an import gave stays.
    """
    return sum(_apply_to(store, key, source, ids) for key, source in _parts(store))


def _apply_to(store: Store, key: str, source: str, ids: Mapping[Account, str]) -> int:
    for _ in range(_TRIES):
        stored = store.get(key)
        if stored is None:
            return 0
        part = parquet.decode(MEMBERS, stored.data, store.url(key))
        before = part.rows.column("person_id").to_pylist()
        names = part.rows.column("member_id").to_pylist()
        after = [_settled(held, ids.get((source, name))) for name, held in _pairs(names, before)]
        changed = sum(one != other for one, other in _pairs(before, after))
        if not changed:
            return 0
        at = part.rows.schema.get_field_index("person_id")
        rows = part.rows.set_column(at, part.rows.schema.field(at), pa.array(after, pa.string()))
        data = parquet.encode(MEMBERS, rows, limit=PART_BYTES, is_full=part.is_full)
        try:
            store.put(key, data, if_match=stored.etag)
        except Conflict:
            continue
        return changed
    raise Conflict(f"{store.url(key)} kept changing: run again with fewer runs at once")


def _pairs(these: list[Any], those: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(these, those, strict=True)


def _settled(held: str | None, wanted: str | None) -> str | None:
    return held if held and not held.startswith(OURS) else wanted


def _parts(store: Store) -> Iterator[tuple[str, str]]:
    """The members' objects with their sources."""
    for entry in store.list("tables/members/"):
        if entry.key.endswith(".parquet"):
            yield entry.key, entry.key.split("/")[2].removeprefix("source=")


def _to_json(log: Iterable[Decision]) -> bytes:
    told = [
        {
            "at": one.at.isoformat(),
            "verb": one.verb,
            "pair": one.pair,
            "evidence": one.evidence,
            "by": one.by,
        }
        for one in log
    ]
    return json.dumps({"version": 1, "decisions": told}, indent=1, ensure_ascii=False).encode()


def _log(told: Any) -> tuple[Decision, ...]:
    return tuple(
        Decision(
            datetime.fromisoformat(one["at"]),
            one["verb"],
            (tuple(one["pair"][0]), tuple(one["pair"][1])),
            tuple(one["evidence"]),
            one["by"],
        )
        for one in told["decisions"]
    )


DECISIONS = Remembered(
    from_json(_log), "what was accepted and rejected is to be decided again", error=SourceFailed
)
_AS_SETTLED = Remembered(from_json(lambda told: dict(told.items())), *WRITTEN_ANEW)
