"""Merge synthetic messages into a fresh folder → rows a second and the process's peak memory.

python bench/merge.py [--rows N] [--days D] [--letters L] [--again]
``--days 27`` puts them all into one month: the worst case, in which parts fill up.

python bench/merge.py --grow [--sizes 0 1 10]
What a fetch of 2,000 new messages and 500 edits costs in a month that holds so many million rows
already, in processor time, and as a ratio to the empty month.
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
NEW, EDITS, ROWS = 2_000, 500, 100_000  # a fetch's new and edited rows; the rows of a full part


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


def grown(millions: float, letters: int) -> dict[str, float]:
    """Fill a month with full parts, then merge what a fetch brings: new rows, and edits of old."""
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        parts = _filled(store, int(millions * 1_000_000), letters)
        fetched = [(replace(row, message_id=f"n{row.message_id}"), SEEN) for row, _ in
                   messages(NEW, 27, letters)]  # fmt: skip
        edited = [(replace(row, likes=row.likes + 1), SEEN + timedelta(days=1)) for row, _ in
                  islice(messages(ROWS, 27, letters), EDITS)] if parts else []  # fmt: skip
        started = time.process_time()
        changed = merge(store, "bench", [*fetched, *edited])["messages"]
        seconds = time.process_time() - started
    assert changed == len(fetched) + len(edited)
    return {"million_rows": millions, "parts": parts, "seconds": round(seconds, 2),
            "milliseconds_per_row": round(1000 * seconds / changed, 3)}  # fmt: skip


def _filled(store: FolderStore, count: int, letters: int) -> int:
    """Parts as merges leave them: the rows of one, again and again under other ids."""
    if not count:
        return 0
    table = TABLES["messages"]
    rows = (cells(row, seen) for row, seen in messages(ROWS, 27, letters))
    one = parquet.arrow(table, list(rows))
    parts = count // ROWS
    for k in range(parts):
        ids = one.column("message_id")
        other = pc.binary_join_element_wise(ids, pa.scalar(f"-{k}"), "") if k else ids
        data = parquet.encode(table, one.set_column(0, parquet.schema(table.row).field(0), other),
                              limit=0)  # fmt: skip
        store.put(f"tables/messages/source=bench/month=2025-01/part-{k}.parquet", data)
    return parts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=420)
    parser.add_argument("--letters", type=int, default=150)
    parser.add_argument("--again", action="store_true", help="merge the same rows twice")
    parser.add_argument("--grow", action="store_true", help="the cost of a fetch as a month grows")
    parser.add_argument("--sizes", type=float, nargs="+", default=[0, 1, 10], help="million rows")
    chosen = parser.parse_args()
    if chosen.grow:
        first = 0.0
        for size in chosen.sizes:
            found = grown(size, chosen.letters)
            first = first or found["seconds"]
            print(json.dumps(found | {"times_the_first": round(found["seconds"] / first, 1)}))
        raise SystemExit
    print(json.dumps(measure(chosen.rows, chosen.days, chosen.letters, chosen.again)))
