"""A platform, a server in memory and a window in; the items of one fetch and their rows out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import httpx
from recorded import items_of, last_cursor

from muster.records import Item, KnownMessage, Message
from muster.sources import Window
from muster.sources._http import Http

Kind = TypeVar("Kind")
Server = Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True)
class Fetching:
    """One platform as one source reads it at ``now``; a wait is never slept, but raised."""

    platform: Any
    options: Any
    now: datetime
    secret: str | None = "a-secret-token"
    patience: float = 0.1

    def api(self, server: Server, now: datetime | None = None) -> Any:
        """The connection."""
        at = now or self.now
        http = Http(
            transport=httpx.MockTransport(server), clock=lambda: at, patience=self.patience,
            sleep=lambda seconds: None,
        )  # fmt: skip
        return self.platform.connect(self.options, self.secret, http)

    def __call__(
        self, server: Server, cursor: Any = None, now: datetime | None = None, **window: Any
    ) -> tuple[list[Item], Any]:
        """The items read and the last cursor."""
        asked = Window(self.options, now or self.now, cursor or {}, **window)
        pages = list(self.platform.pages(self.api(server, now), asked))
        return items_of(pages), last_cursor(pages)

    def rows(self, items: Iterable[Item], kind: type[Kind]) -> list[Kind]:
        """The rows of one table."""
        found = (row for item in items for row in self.platform.rows(item, self.options))
        return [row for row in found if isinstance(row, kind)]

    def messages(self, items: Iterable[Item]) -> dict[str, Message]:
        """The messages by their ids, the last one of each."""
        return {row.message_id: row for row in self.rows(items, Message)}


def seen(*known: tuple[str, str, datetime]) -> Callable[[datetime], Iterable[KnownMessage]]:
    """What the lake holds: message, thread, when."""
    return lambda since: [KnownMessage(*one) for one in known if one[2] >= since]
