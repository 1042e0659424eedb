"""Observations to merge, and what a store then holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from muster.records import Deletion, Message
from muster.store import FolderStore, Store

START = datetime(2026, 1, 1, tzinfo=UTC)
SEEN = datetime(2026, 11, 24, tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours after the platform's first message."""
    return START + timedelta(hours=hours)


def seen(hours: float) -> datetime:
    """So many hours after Muster's first look."""
    return SEEN + timedelta(hours=hours)


def message(number: int, **cells: Any) -> Message:
    """Message ``number``: written that many days after the start, in a thread of five."""
    given = {
        "message_id": f"m{number}",
        "thread_id": f"t{number // 5}",
        "author_id": f"a{number % 3}",
        "created_at": START + timedelta(days=number),
        "text": f"text {number}",
        "url": f"https://x.example/{number}",
    }
    return Message(**(given | cells))


def deletion(number: int, deleted_at: datetime) -> Deletion:
    return Deletion(
        message_id=f"m{number}",
        created_at=START + timedelta(days=number),
        deleted_at=deleted_at,
    )


def objects(store: Store, prefix: str = "tables/") -> dict[str, bytes]:
    """Every object below a prefix."""
    return {e.key: store.get(e.key).data for e in store.list(prefix)}  # type: ignore[union-attr]


def rows(store: Store, table: str = "messages") -> list[dict[str, Any]]:
    """Every row of a table with its source, from every object, as a plain reader sees them."""
    found = []
    for key, data in objects(store, f"tables/{table}/").items():
        source = key.split("/")[2].removeprefix("source=")
        read = pq.ParquetFile(pa.BufferReader(data)).read().to_pylist()
        found += [{"source": source, **row} for row in read]
    return sorted(found, key=repr)


def row(store: Store, number: int) -> dict[str, Any]:
    """The one row of a message."""
    (found,) = [r for r in rows(store) if r["message_id"] == f"m{number}"]
    return found


class Dying:
    """A store whose process is killed before one of its writes."""

    def __init__(self, inner: FolderStore, writes: int) -> None:
        self.inner, self.left = inner, writes
        self.get, self.list, self.url = inner.get, inner.list, inner.url

    def _die(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def put(self, key: str, data: bytes, **condition: Any) -> str:
        self._die()
        return self.inner.put(key, data, **condition)

    def delete(self, key: str, **condition: Any) -> None:
        self._die()
        self.inner.delete(key, **condition)
