"""A small JSON object of a store → what it says; a damaged one is told by its name.

What cannot be known without it stops, so that nothing is done that it would have forbidden; where
losing it is harmless, the log says so and the work goes on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from muster.errors import MusterError, StoreRefused
from muster.store import Store

Said = TypeVar("Said")
#: What reading bytes raises that are not as they were written.
UNREADABLE = (
    ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError,
)  # fmt: skip
WRITTEN_ANEW = "nothing is lost", "it is written anew"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remembered(Generic[Said]):
    """Objects of one kind: how their bytes are read, and what is ``lost`` by deleting one.

    ``do`` mends a damaged one; ``error`` is what it costs.
    """

    of: Callable[[bytes], Said]
    lost: str
    do: str = "bring an earlier version of it back, or delete it"
    error: type[MusterError] = StoreRefused

    def read(self, where: str, data: bytes) -> Said:
        """What bytes say; raises ``error`` if they are damaged."""
        try:
            return self.of(data)
        except UNREADABLE as error:
            raise self.error(
                f"{where} is damaged, or of another version of Muster: {self.do} ({self.lost})"
            ) from error

    def get(self, store: Store, key: str) -> Said | None:
        """What an object says, if there is one; raises ``error`` if it is damaged."""
        stored = store.get(key)
        return self.read(store.url(key), stored.data) if stored else None

    def perhaps(self, where: str, data: bytes) -> Said | None:
        """What bytes say; damaged ones are told in the log and say nothing."""
        try:
            return self.read(where, data)
        except self.error as error:
            _log.warning("%s", error)
            return None

    def spare(self, store: Store, key: str) -> Said | None:
        """What an object says; a damaged one is told in the log and counts as none."""
        stored = store.get(key)
        return self.perhaps(store.url(key), stored.data) if stored else None


def from_json(make: Callable[[Any], Said]) -> Callable[[bytes], Said]:
    """A reader of bytes that are JSON, by a reader of its values."""
    return lambda data: make(json.loads(data))
