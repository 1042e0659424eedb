"""The stored cells of one entity and a later or earlier observation → what is true now."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from muster.lake.cells import Cells, cells
from muster.records import Deletion, Row, Table

_CONTENT = {"text": None, "url": None, "lang": None, "sentiment": None}


class Seen(NamedTuple):
    """One observation of an entity: its row or its cells, or that it is deleted."""

    what: Row | Cells | Deletion
    observed_at: datetime


def settle(table: Table, stored: Cells | None, seen: Seen) -> Cells | None:
    """What is true after ``seen``; ``None`` if only a deletion of something unknown was seen.

    The later observation wins, at a tie the one that comes in. Equal in all but ``observed_at``
    keeps the earlier one: it says since when the present state has been seen.
    """
    if isinstance(seen.what, Deletion):
        return stored and _deleted(stored, seen.what.deleted_at, seen.observed_at)
    what = seen.what if isinstance(seen.what, dict) else cells(seen.what, seen.observed_at)
    if stored is None:
        return _emptied(what)
    if what.get("deleted_at"):
        return _deleted(stored, what["deleted_at"], seen.observed_at)
    if stored.get("deleted_at") and what.get("text") is None:
        return stored
    return _later(table, stored, what)


def _later(table: Table, stored: Cells, seen: Cells) -> Cells:
    if table.fill and _is_no_news(stored, seen):
        return stored  # Most of what is seen of members; the way below would give the same.
    newer, older = (stored, seen) if seen["observed_at"] < stored["observed_at"] else (seen, stored)
    newer, older = _derived(table, newer, older), _derived(table, older, newer)
    kept = {name: stored[name] for name in table.keep_first}
    filled = {n: older[n] for n, value in newer.items() if value is None} if table.fill else {}
    settled = newer | filled | kept
    if _same(settled, older | kept):
        settled["observed_at"] = older["observed_at"]
    return settled


def _is_no_news(stored: Cells, seen: Cells) -> bool:
    """Whether a later observation says nothing but what is stored."""
    if seen["observed_at"] < stored["observed_at"]:
        return False
    for name, value in seen.items():
        if value is not None and value != stored[name] and name != "observed_at":
            return False
    return True


def _derived(table: Table, one: Cells, other: Cells) -> Cells:
    """``one`` with what was worked out of the same text in ``other``, where it has none itself."""
    if not table.derived or one["text"] is None or one["text"] != other["text"]:
        return one
    known = {}
    for name in table.derived:
        if one[name] is None:
            known[name] = other[name]
        elif one[name] != other[name]:
            break
    return one | known


def _same(one: Cells, other: Cells) -> bool:
    return all(value == other[name] for name, value in one.items() if name != "observed_at")


def _deleted(stored: Cells, deleted_at: datetime, observed_at: datetime) -> Cells:
    known = stored["deleted_at"]
    if known is None and observed_at < stored["observed_at"]:
        return stored  # It has been seen alive since.
    return _emptied(
        stored
        | {
            "deleted_at": deleted_at if known is None else min(known, deleted_at),
            "observed_at": observed_at
            if known is None
            else min(stored["observed_at"], observed_at),
        }
    )


def _emptied(seen: Cells) -> Cells:
    """Without content, if it is deleted: ids, times and counts stay."""
    return seen | _CONTENT | {"tags": []} if seen.get("deleted_at") else seen
