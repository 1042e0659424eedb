"""Rows of one run in; the same without accounts that the run has stored just like that before."""

from __future__ import annotations

from collections.abc import Iterable

from muster.lake.gathered import Observed
from muster.records import Member

REMEMBERED = 50_000  # accounts of one run


class Repeats:
    """What one run stored last of each account: nearly every post tells of one told before."""

    def __init__(self, room: int = REMEMBERED) -> None:
        self._room = room
        self._stored: dict[str, Member] = {}

    def news(self, rows: Iterable[Observed]) -> list[Observed]:
        """The rows that may change the lake; from now on they count as stored."""
        return [pair for pair in rows if type(pair[0]) is not Member or self._is_news(pair[0])]

    def forget(self) -> None:
        """Begin anew: what counted as stored was not."""
        self._stored.clear()

    def _is_news(self, account: Member) -> bool:
        stored = self._stored.get(account.member_id)
        if stored is account or stored == account:
            return False
        if len(self._stored) >= self._room:
            self._stored.clear()
        self._stored[account.member_id] = account
        return True
