"""What a source remembers between runs, as JSON in the store: its cursor and last-run facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from muster.errors import Conflict, SourceFailed
from muster.remembered import Remembered, from_json
from muster.store import Store

_TRIES = 20


@dataclass(frozen=True)
class State:
    """A source's memory.

    ``covered`` is, per table, the earliest instant its successes vouch for; ``since`` is the
    earliest instant that was ever asked for; ``rows`` and ``quarantined`` are of the last run, and
    ``last_trouble`` is what kind of error ``last_error`` is.
    """

    cursor: Mapping[str, Any] = field(default_factory=dict)
    covered: Mapping[str, datetime] = field(default_factory=dict)
    dropped: Mapping[str, datetime] = field(default_factory=dict)
    since: datetime | None = None
    last_run_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error: str = ""
    last_trouble: str = ""
    rows: int = 0
    quarantined: int = 0

    def vouched_from(self, table: str) -> datetime:
        """The earliest instant of a covered table for which it still vouches."""
        return max(self.covered[table], self.dropped.get(table, self.covered[table]))

    @property
    def first_row_at(self) -> datetime | None:
        """The earliest instant any table vouches for."""
        return min(self.covered.values(), default=None)


def load(store: Store, source: str) -> State:
    """The state of a source, or an empty one; ``SourceFailed`` if it cannot be read."""
    return MEMORY.get(store, _key(source)) or State()


def told(store: Store, source: str) -> State:
    """The state of a source for who only looks: an unreadable one is empty, and says so."""
    try:
        return load(store, source)
    except SourceFailed as error:
        return State(last_error=str(error), last_trouble=error.trouble)


def save(store: Store, source: str, state: State) -> State:
    """Write the state and return what is now stored.

    Of two runs at once the last one's cursor and facts win (every cursor is safe); what either
    vouches for is kept, and a success is never forgotten.
    """
    key = _key(source)
    for _ in range(_TRIES):
        stored = store.get(key)
        before = MEMORY.read(store.url(key), stored.data) if stored else None
        merged = _keeping(before, state) if before else state
        try:
            if stored is None:
                store.put(key, _to_json(merged), if_new=True)
            else:
                store.put(key, _to_json(merged), if_match=stored.etag)
            return merged
        except Conflict:
            continue
    raise Conflict(f"{store.url(key)} kept changing: run again with fewer runs at once")


def _keeping(before: State, state: State) -> State:
    """``state``, still vouching for all that ``before`` vouched for."""
    covered = {
        table: min(at for at in (before.covered.get(table), state.covered.get(table)) if at)
        for table in sorted({*before.covered, *state.covered})
    }
    dropped = {
        table: max(at for at in (before.dropped.get(table), state.dropped.get(table)) if at)
        for table in sorted({*before.dropped, *state.dropped})
    }
    since = min((at for at in (before.since, state.since) if at), default=None)
    success = max(
        (at for at in (before.last_success_at, state.last_success_at) if at), default=None
    )
    return replace(state, covered=covered, dropped=dropped, since=since, last_success_at=success)


def _key(source: str) -> str:
    return f"state/{source}.json"


def _to_json(state: State) -> bytes:
    values = {item.name: getattr(state, item.name) for item in fields(State)}
    text = json.dumps(values, default=_plain, sort_keys=True, indent=1)
    return text.encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else dict(value)


def _state(values: Any) -> State:
    """The state; whatever is not as it was written raises ``TypeError`` or the like."""
    names = {item.name for item in fields(State)}
    known = {name: value for name, value in values.items() if name in names}
    for name, kind in _PLAIN.items():
        if not isinstance(known.get(name, kind()), kind):
            raise TypeError(name)
    for name in ("since", "last_run_at", "last_success_at"):
        if known.get(name) is not None:
            known[name] = _instant(known[name])
    for name in ("covered", "dropped"):
        told = known.get(name, {}).items()
        known[name] = {table: _instant(at) for table, at in told}
    return State(**known)


_PLAIN = {"cursor": dict, "last_error": str, "last_trouble": str, "rows": int, "quarantined": int}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


MEMORY = Remembered(
    from_json(_state), "the next fetch reads from the start", "muster lake repair sets it aside",
    SourceFailed,
)  # fmt: skip
