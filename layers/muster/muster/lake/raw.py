"""API items exactly as received, and those no mapping could read, as compressed JSON Lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter

from muster import as_json
from muster.errors import SourceFailed
from muster.records import Item
from muster.remembered import UNREADABLE
from muster.store import Store


def write(store: Store, source: str, run: str, n: int, items: Iterable[Item]) -> None:
    """Store one page before it is merged: one object per UTC day seen, named by run and page."""
    lines = ((item.seen_at.date(), encoded(item) + b"\n") for item in items)
    write_lines(store, source, run, n, lines)


def write_lines(
    store: Store, source: str, run: str, n: int, told: Iterable[tuple[date, bytes]]
) -> None:
    """The same of whole lines, one or several, and the day they were seen on."""
    for day, found in groupby(told, key=itemgetter(0)):
        data = _packed(lines for _, lines in found)
        store.put(f"{_folder('raw', source, day)}/{run}-{n:06}.jsonl.zst", data)


def read(store: Store, source: str, since: date | None = None) -> Iterator[Item]:
    """Every stored item of a source, in the order of days, runs and pages; ``since`` a UTC day."""
    start = f"date={since.isoformat()}" if since else ""
    for entry in store.list(f"raw/source={source}/"):
        stored = store.get(entry.key) if entry.key.split("/")[2] >= start else None
        if stored is not None:
            with named(store.url(entry.key)):
                items = [item_of(line) for line in unpack(stored.data)]
            yield from items


@contextmanager
def named(where: str) -> Iterator[None]:
    """``SourceFailed`` names the object whose bytes or lines cannot be read."""
    try:
        yield
    except (OSError, *UNREADABLE) as error:
        why = str(error)[:200]
        raise SourceFailed(f"{where} cannot be read ({why}): move it out of the lake") from error


def quarantine(
    store: Store, source: str, run: str, n: int, refused: Iterable[tuple[Item, str]]
) -> None:
    """Keep items that could not be mapped, each with its reason; nothing refused, nothing written.

    The name carries how many there are and a digest of what they are, so that counting needs no
    reading, and the same items refused again by the next run count once.
    """
    found = tuple(refused)
    if not found:
        return
    lines = [item_line(item, reason) for item, reason in found]
    bodies = sorted(
        json.dumps([item.stream, item.body], default=str, sort_keys=True) for item, _ in found
    )
    digest = hashlib.blake2b("\n".join(bodies).encode(), digest_size=8).hexdigest()
    folder = _folder("quarantine", source, found[0][0].seen_at.date())
    store.put(f"{folder}/{run}-{n:06}.{digest}.{len(lines)}.jsonl.zst", pack(lines))


def quarantined(store: Store, source: str, since: date | None = None) -> int:
    """How many items a source has in quarantine, by the names alone; ``since`` a UTC day."""
    start = f"date={since.isoformat()}" if since else ""
    keys = (entry.key.split("/") for entry in store.list(f"quarantine/source={source}/"))
    found = (name.split(".")[1:3] for _, _, day, name in keys if day >= start)
    return sum(int(count) for count in dict(found).values())


def read_quarantine(store: Store, source: str) -> Iterator[tuple[Item, str]]:
    """Every item in quarantine with its reason, in the order of days, runs and pages."""
    for entry in store.list(f"quarantine/source={source}/"):
        stored = store.get(entry.key)
        if stored is not None:
            with named(store.url(entry.key)):
                lines = unpack(stored.data)
                found = [(item_of(line), str(as_json.loads(line)["reason"])) for line in lines]
            yield from found


def _folder(kind: str, source: str, day: date) -> str:
    return f"{kind}/source={source}/date={day.isoformat()}"


def item_line(item: Item, reason: str | None = None) -> str:
    """An item as one line of JSON; of one in quarantine, with its reason."""
    return str(encoded(item, reason), "utf-8")


def encoded(item: Item, reason: str | None = None) -> bytes:
    """The same line in UTF-8; ``RecursionError`` if it is nested too deep for any JSON reader."""
    if reason is None:
        return as_json.encoded(item)
    line = {field.name: getattr(item, field.name) for field in fields(item)}
    return as_json.encoded(line | {"reason": reason})


def item_of(line: str) -> Item:
    """The item of a line."""
    found = as_json.loads(line)
    seen_at = datetime.fromisoformat(found["seen_at"])
    return Item(found["stream"], found["body"], seen_at, found.get("context"))


def pack(lines: Iterable[str]) -> bytes:
    """Lines as compressed bytes."""
    return _packed(["\n".join([*lines, ""]).encode()])


def _packed(pieces: Iterable[bytes]) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as packed:
        for piece in pieces:
            packed.write(piece)
    return sink.getvalue().to_pybytes()


def unpack(data: bytes) -> list[str]:
    """The lines of compressed bytes."""
    import pyarrow as pa

    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as packed:
        return split(packed.read())


def split(lines: bytes) -> list[str]:
    """Whole lines one by one."""
    return [line for line in lines.decode().split("\n") if line]
