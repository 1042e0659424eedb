"""Writers merge batches into one bucket, killed at random → what the bucket then holds.

python at_once.py BUCKET WRITERS BATCHES KILLS; the environment says where the S3 service is. Each
batch brings rows of its own and edits rows that many batches edit, so that writers race for the
same objects. Prints as JSON what was lost, doubled or older than the latest edit: nothing must be.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pyarrow as pa
import pyarrow.parquet as pq

from muster.errors import Conflict, Unavailable
from muster.lake.merge import Observed, Rules, merge
from muster.records import Message
from muster.store import S3Store, Store

OWN, SHARED, HOT = 4, 2, 40
START, SEEN = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
RULES = Rules(part_bytes=400_000)


def shared_by(batch: int) -> list[int]:
    """The rows that this batch edits and others too."""
    return random.Random(batch).sample(range(HOT), SHARED)


def rows(batch: int) -> Iterator[Observed]:
    """A batch: new rows of one of three months, and later states of shared ones."""
    seen = SEEN + timedelta(seconds=batch)
    for n in range(OWN):
        at = START + timedelta(days=31 * (batch % 3), minutes=batch + n)
        own = {"message_id": f"b{batch}-{n}", "thread_id": f"t{batch}", "created_at": at}
        yield Message(**own, text=f"text {batch}"), seen
    for hot in shared_by(batch):
        at = START + timedelta(days=31 * (hot % 3))
        shared = {"message_id": f"hot{hot}", "thread_id": "hot", "created_at": at}
        yield Message(**shared, likes=batch, text=f"edit {batch}"), seen


def write(bucket: str, batches: list[int], done: Path) -> None:
    """Merge batches and note each; after a kill go on behind the last that was noted."""
    store = S3Store.at(f"s3://{bucket}")
    noted = done.read_text().split() if done.exists() else []
    with done.open("a") as file:
        for batch in batches[len(noted) :]:
            while True:
                try:
                    merge(store, "s", rows(batch), rules=RULES)
                    break
                except Conflict:
                    continue
                except Unavailable as error:
                    print(f"batch {batch} is tried again: {error}", file=sys.stderr)
            file.write(f"{batch}\n")
            file.flush()


class Writer:
    """A process that can be killed and started anew."""

    def __init__(self, bucket: str, batches: list[int], done: Path) -> None:
        self.what = bucket, batches, done
        self.start()

    def start(self) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                write(*self.what)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)

    def has_ended(self) -> bool:
        """Whether its work is done; one that broke is no success."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid and status:
            raise RuntimeError(f"a writer ended with {status}")
        return bool(pid)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def work(bucket: str, writers: int, batches: int, kills: int, folder: Path) -> int:
    """Let the writers work, killing them ``kills`` times; how often a key was seen twice."""
    rng, doubled = random.Random(7), 0
    numbers = list(range(batches))
    rng.shuffle(numbers)
    running = [Writer(bucket, numbers[n::writers], folder / f"done-{n}") for n in range(writers)]
    noted = 0
    try:
        while running:
            running = [one for one in running if not one.has_ended()]
            done = sum(len(path.read_text().split()) for path in folder.iterdir())
            if running and noted < kills and done * (kills + 1) >= batches * (noted + 1):
                noted += 1
                killed = rng.choice(running)
                killed.kill()
                killed.start()
                if noted % 10 == 1:
                    found = list(keys(S3Store.at(f"s3://{bucket}")))
                    doubled += len(found) - len(set(found))
            time.sleep(0.01)
    finally:
        for one in running:  # none goes on alone if another broke
            with suppress(ProcessLookupError, ChildProcessError):
                one.kill()
    return doubled


def keys(store: Store) -> Iterator[str]:
    yield from (row["message_id"] for row in read(store))


def read(store: Store) -> Iterator[dict[str, object]]:
    """Every row of every object, as a plain reader sees them."""
    for entry in store.list("tables/messages/"):
        stored = store.get(entry.key)
        if stored is not None:
            yield from pq.ParquetFile(pa.BufferReader(stored.data)).read().to_pylist()


def verdict(store: Store, batches: int) -> dict[str, int]:
    """What the bucket lacks or has too much of."""
    found = list(read(store))
    ids = [str(row["message_id"]) for row in found]
    own = {f"b{batch}-{n}" for batch in range(batches) for n in range(OWN)}
    latest = {f"hot{hot}": batch for batch in range(batches) for hot in shared_by(batch)}
    likes = {row["message_id"]: row["likes"] for row in found}
    return {
        "rows": len(ids),
        "objects": len(list(store.list("tables/"))),
        "lost": len((own | latest.keys()) - set(ids)),
        "doubled": len(ids) - len(set(ids)),
        "foreign": len(set(ids) - own - latest.keys()),
        "older_than_the_latest": sum(likes.get(name) != at for name, at in latest.items()),
    }


def keep_evidence(store: Store, folder: Path) -> None:
    """Keep every object as it is when a run breaks, and say of each what the service says."""
    for entry in store.list("tables/"):
        stored = store.get(entry.key)
        data, etag = (stored.data, stored.etag) if stored else (b"", "gone")
        (folder / entry.key.replace("/", "_")).write_bytes(data)
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        print(f"{folder} {entry} got {len(data)} {etag} md5 {digest}", file=sys.stderr)


if __name__ == "__main__":
    bucket, (writers, batches, kills) = sys.argv[1], map(int, sys.argv[2:5])
    started = time.monotonic()
    with TemporaryDirectory() as folder:
        try:
            doubled = work(bucket, writers, batches, kills, Path(folder))
        except Exception:
            keep_evidence(S3Store.at(f"s3://{bucket}"), Path(mkdtemp(prefix="race-")))
            raise
    told = verdict(S3Store.at(f"s3://{bucket}"), batches)
    took = {
        "writers": writers,
        "batches": batches,
        "kills": kills,
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(took | told | {"doubled_meanwhile": doubled}))
