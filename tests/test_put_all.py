"""Many puts, some at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from muster.at_once import AT_ONCE, put_all
from muster.errors import StoreRefused
from muster.store import FolderStore


def test_many_objects_are_put_at_once_and_few_are_held(tmp_path: Path) -> None:
    store, made, most = FolderStore(tmp_path), 0, 0

    def objects() -> Iterator[tuple[str, bytes]]:
        nonlocal made, most
        for number in range(100):
            there = sum(1 for _ in tmp_path.glob("*.txt"))
            made, most = made + 1, max(most, made - there)
            yield f"{number}.txt", str(number).encode()

    found = put_all(store, objects())
    assert found == {entry.key: entry.etag for entry in store.list()}
    assert len(found) == 100 and most <= AT_ONCE + 1


def test_an_object_that_cannot_be_put_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="refused"):
        put_all(FolderStore(tmp_path), [("a.txt", b"a"), ("../b.txt", b"b")])
