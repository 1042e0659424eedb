"""A lake → the same lake, whose next measuring counts everything from scratch."""

from __future__ import annotations

from uuid import uuid4

from muster.records import KEPT, KEPT_SINCE
from muster.store import Store


def forget(lake: Store) -> None:
    """Take away what the last measuring kept for the next, and what one under way will keep.

    For whoever changes rows of the past without a new ``observed_at``: erasing, replaying.
    """
    lake.put(KEPT_SINCE, uuid4().hex.encode())
    for entry in list(lake.list(KEPT)):
        if entry.key != KEPT_SINCE:
            lake.delete(entry.key)
