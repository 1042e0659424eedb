"""What each source remembers, held against what the lake holds of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from muster.errors import SourceFailed
from muster.lake import state
from muster.lake.findings import Finding
from muster.store import Store


def states(store: Store, with_rows: Collection[str]) -> Iterator[Finding]:
    """States that cannot be read, that vouch for rows which are gone, or that are missing.

    ``with_rows`` are the sources of which any table holds a row.
    """
    there = set()
    for entry in store.list("state/"):
        name = entry.key.removeprefix("state/").removesuffix(".json")
        if "/" in name:  # below state/stack/ lies the stack's own
            continue
        there.add(name)
        try:
            memory = state.load(store, name)
        except SourceFailed:
            yield Finding("state", entry.key)
            continue
        if memory.cursor and name not in with_rows and _has_read(store, name):
            yield Finding("no_rows", entry.key)
    for name in sorted(set(with_rows) - there):
        yield Finding("no_state", f"state/{name}.json")


def _has_read(store: Store, source: str) -> bool:
    """Whether items of the source lie in raw, so that there were rows to be had."""
    return any(store.list(f"raw/source={source}/"))
