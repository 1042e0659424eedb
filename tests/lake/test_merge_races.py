"""Merging at once with others, or killed halfway: nothing is lost and nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from observations import at, message, rows, seen

from muster.errors import Conflict
from muster.lake.merge import Observed, Rules, merge
from muster.store import FolderStore, Stored

SMALL = Rules(part_bytes=4_000, batch_rows=16, sleep=lambda _: None)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


class _Racing:
    """A store in which somebody else merges the same month right after each read."""

    def __init__(self, root: Path, others: list[Observed]) -> None:
        self.inner, self.others = FolderStore(root), others
        self.put, self.delete, self.list, self.url = (
            self.inner.put, self.inner.delete, self.inner.list, self.inner.url,
        )  # fmt: skip

    def get(self, key: str) -> Stored | None:
        stored = self.inner.get(key)
        if self.others:
            merge(self.inner, "s", [self.others.pop()], rules=SMALL)
        return stored


OTHERS = [(message(n, created_at=at(n)), seen(0)) for n in range(100, 130)]


def test_a_lost_race_is_merged_again(tmp_path: Path) -> None:
    waits: list[float] = []
    rules = replace(SMALL, sleep=waits.append, tries=31)
    merge(_Racing(tmp_path, [*OTHERS]), "s", [(message(1, created_at=at(1)), seen(0))], rules=rules)
    found = {r["message_id"] for r in rows(FolderStore(tmp_path))}
    assert found == {"m1", *(f"m{n}" for n in range(100, 130))}
    assert len(rows(FolderStore(tmp_path))) == 31
    assert waits
    assert max(waits) <= 2


def test_too_many_lost_races_say_so(tmp_path: Path) -> None:
    rules = Rules(tries=5, sleep=lambda _: None)
    with pytest.raises(Conflict, match="changed 5 times while merging: run again"):
        merge(
            _Racing(tmp_path, [*OTHERS]),
            "s",
            [(message(1, created_at=at(1)), seen(0))],
            rules=rules,
        )


@pytest.mark.parametrize("writers", [2, 8])
def test_threads_at_once_lose_and_double_nothing(store: FolderStore, writers: int) -> None:
    def write(writer: int) -> None:
        numbers = [*range(writer * 30, writer * 30 + 30), *range(1000, 1010)]
        random.Random(writer).shuffle(numbers)
        pairs = [(message(n, created_at=at(n % 300), likes=n), seen(0)) for n in numbers]
        merge(store, "s", pairs, rules=Rules(part_bytes=8_000, batch_rows=10))

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    found = [r["message_id"] for r in rows(store)]
    assert sorted(found) == sorted(f"m{n}" for n in [*range(writers * 30), *range(1000, 1010)])


MERGE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from observations import message, at, seen, deletion
from muster.lake.merge import Rules, merge
from muster.store import FolderStore
first = int(sys.argv[2])
pairs = [
    (message(n, created_at=at(n % 900), likes=n % 7), seen(n / 9))
    for n in range(first, first + 400)
]
store, rules = FolderStore(Path(sys.argv[1])), Rules(part_bytes=20_000)
print("ready", flush=True)
for start in range(0, len(pairs), 25):
    merge(store, "s", pairs[start : start + 25], rules=rules)
"""


def _merging(root: Path, first: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", MERGE, str(root), str(first), str(Path(__file__).parent)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ)


def test_processes_at_once_give_the_rows_of_one_after_another(tmp_path: Path) -> None:
    both, alone = tmp_path / "both", tmp_path / "alone"
    children = [_merging(both, first) for first in (0, 200, 200)]
    assert [child.wait() for child in children] == [0, 0, 0]
    for first in (0, 200):
        assert _merging(alone, first).wait() == 0
    assert rows(FolderStore(both)) == rows(FolderStore(alone))
    assert len(rows(FolderStore(both))) == 600


def test_killed_anywhere_and_run_again_the_rows_are_the_same(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    assert _merging(whole, 0).wait() == 0
    expected = rows(FolderStore(whole))
    rng = random.Random(7)
    for _ in range(8):
        child = _merging(killed, 0)
        assert child.stdout is not None
        child.stdout.readline()
        try:
            child.wait(rng.uniform(0.0, 0.35))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        child.wait()
        ids = [r["message_id"] for r in rows(FolderStore(killed))]
        assert len(ids) == len(set(ids))
    assert _merging(killed, 0).wait() == 0
    assert rows(FolderStore(killed)) == expected
