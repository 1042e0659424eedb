"""Rows of one run in; the same without accounts that the run has stored just like that before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from muster.records import Deletion, Member, Row

Observed = tuple[Row | Deletion, datetime]

REMEMBERED = 50_000  # accounts of one run


class Repeats:
    """What one run stored last of each account: nearly every post tells of one told before."""

    def __init__(self, room: int = REMEMBERED) -> None:
        self._room = room
        self._stored: dict[str, Member] = {}

    def news(self, rows: Iterable[Observed]) -> list[Observed]:
        """The rows that may change the lake."""
        return [pair for pair in rows if self._is_news(pair[0])]

    def _is_news(self, row: Row | Deletion) -> bool:
        if not isinstance(row, Member):
            return True
        stored = self._stored.get(row.member_id)
        if stored is row or stored == row:
            return False
        if len(self._stored) >= self._room:
            self._stored.clear()
        self._stored[row.member_id] = row
        return True
