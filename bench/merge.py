"""Merge synthetic messages into a fresh folder → rows a second and the process's peak memory.

python bench/merge.py [--rows N ...] [--days D] [--letters L] [--again]
``--days 27`` puts them all into one month: the worst case, in which parts fill up.

python bench/merge.py --grow [--sizes 0.1 1 10 100] [--new 2000] [--edits 500]
What a fetch of so many new messages and edits costs in a month that holds so many million rows
already, in processor time a row, and as a ratio to the first size.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from muster.lake import parquet
from muster.lake.cells import cells
from muster.lake.merge import Observed, merge
from muster.records import TABLES, Message
from muster.store import FolderStore

START = datetime(2025, 1, 1, tzinfo=UTC)
SEEN = datetime(2026, 11, 24, tzinfo=UTC)
ROWS = 100_000  # of a full part


def messages(count: int, days: float, letters: int) -> Iterator[Observed]:
    """Messages of that many letters, evenly spread, in threads of seven."""
    rng = random.Random(1)
    words = [f"w{rng.randrange(10**6):x}" for _ in range(5000)]
    book = " ".join(rng.choices(words, k=500_000))
    step = timedelta(days=days) / count
    for n in range(count):
        page = rng.randrange(len(book) - letters)
        root = str(10**15 + n // 7 * 7)
        message = Message(
            message_id=str(10**15 + n),
            thread_id=root,
            parent_id=root if n % 7 else None,
            author_id=str(rng.randrange(20_000)),
            created_at=START + n * step,
            text=book[page : page + letters],
            url=f"https://x.example/t/{n}",
            tags=("a", "b"),
            channel=f"c{n % 9}",
            likes=rng.randrange(20),
            sentiment=rng.random(),
        )
        yield message, SEEN


def measure(count: int, days: float, letters: int, again: bool) -> dict[str, float]:
    """Merge once, or twice, in processor time less that of making the messages."""
    started = time.process_time()
    for _ in messages(count, days, letters):
        pass
    making = time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        for _ in range(2 if again else 1):
            started = time.process_time()
            merge(store, "bench", messages(count, days, letters))
            seconds = time.process_time() - started - making
        sizes = [entry.size for entry in store.list("tables/")]
    # Not ru_maxrss: a child begins with its parent's.
    (peak,) = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return {
        "rows": count,
        "rows_per_second": round(count / seconds),
        "peak_mb": round(int(peak) / 1024),
        "objects": len(sizes),
        "largest_mb": round(max(sizes) / 2**20, 1),
    }


def grown(millions: float, new: int, edits: int, letters: int) -> dict[str, float]:
    """Fill a month with full parts, then merge what a fetch brings: new rows, and edits of old."""
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        parts = _filled(store, int(millions * 1_000_000), letters)
        fetched = [(replace(row, message_id=f"n{row.message_id}"), SEEN) for row, _ in
                   messages(new, 27, letters)]  # fmt: skip
        edited = [(replace(row, likes=row.likes + 1), SEEN + timedelta(days=1)) for row, _ in
                  islice(messages(ROWS, 27, letters), edits)] if parts else []  # fmt: skip
        started = time.process_time()
        changed = merge(store, "bench", [*fetched, *edited])["messages"]
        seconds = time.process_time() - started
    assert changed == len(fetched) + len(edited)
    return {"million_rows": millions, "parts": parts, "changed": changed,
            "seconds": round(seconds, 2), "rows_per_second": round(changed / seconds),
            "milliseconds_per_row": round(1000 * seconds / changed, 3)}  # fmt: skip


def _filled(store: FolderStore, count: int, letters: int) -> int:
    """Full parts as merges leave them: the first has the edited rows, the others other ids.

    From the second on they are one file under many names. Nothing that is merged stands in them,
    so looking into each costs what it would if each had ids of its own.
    """
    rows = (cells(row, seen) for row, seen in messages(ROWS, 27, letters) if count)
    one = parquet.arrow(TABLES["messages"], list(rows))
    parts = count // ROWS
    for k in range(parts):
        key = "tables/messages/source=bench/month=2025-01/part-{}.parquet"
        if k < 2:
            store.put(key.format(k), _part(one, f"-{k}" if k else ""))
        else:
            (store.root / key.format(k)).hardlink_to(store.root / key.format(1))
    return parts


def _part(rows: pa.Table, ending: str) -> bytes:
    table = TABLES["messages"]
    ids = pc.binary_join_element_wise(rows.column("message_id"), pa.scalar(ending), "")
    field = parquet.schema(table.row).field(0)
    return parquet.encode(table, rows.set_column(0, field, ids), limit=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--days", type=float, default=420)
    parser.add_argument("--letters", type=int, default=150)
    parser.add_argument("--again", action="store_true", help="merge the same rows twice")
    parser.add_argument("--grow", action="store_true", help="the cost of a fetch as a month grows")
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.1, 1, 10], help="million rows")
    parser.add_argument("--new", type=int, default=2_000, help="new rows of the fetch")
    parser.add_argument("--edits", type=int, default=500, help="edited rows of the fetch")
    chosen = parser.parse_args()
    first = 0.0
    for size in chosen.sizes if chosen.grow else ():
        found = grown(size, chosen.new, chosen.edits, chosen.letters)
        first = first or found["milliseconds_per_row"]
        ratio = round(found["milliseconds_per_row"] / first, 1)
        print(json.dumps(found | {"times_the_first": ratio}), flush=True)
    for rows in () if chosen.grow else chosen.rows:
        print(json.dumps(measure(rows, chosen.days, chosen.letters, chosen.again)), flush=True)
