"""Merge synthetic messages into a fresh folder → rows a second and the process's peak memory.

python bench/merge.py [--rows N] [--days D] [--letters L] [--again]
``--days 27`` puts them all into one month: the worst case, in which parts fill up.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from muster.lake.merge import Observed, merge
from muster.records import Message
from muster.store import FolderStore

START = datetime(2025, 1, 1, tzinfo=UTC)
SEEN = datetime(2026, 11, 24, tzinfo=UTC)


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=420)
    parser.add_argument("--letters", type=int, default=150)
    parser.add_argument("--again", action="store_true", help="merge the same rows twice")
    chosen = parser.parse_args()
    print(json.dumps(measure(chosen.rows, chosen.days, chosen.letters, chosen.again)))
