"""Raw items come back exactly as received and in order; quarantine counts each item once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.lake import raw
from muster.records import Item
from muster.store import FolderStore

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def _item(body: object, days: int = 0, stream: str = "posts") -> Item:
    return Item(stream, body, NOON + timedelta(days=days), {"page": 1})


@given(body=JSON)
def test_an_item_comes_back_exactly_as_received(
    tmp_path_factory: pytest.TempPathFactory, body: object
) -> None:
    store = FolderStore(tmp_path_factory.mktemp("raw"))
    items = [_item(body), Item("s", {"half": "\ud83d", "line": "a\u2028b\x85c\r\nd"}, NOON)]
    raw.write(store, "x", "run", 0, items)
    assert list(raw.read(store, "x")) == items


def test_items_come_back_in_the_order_of_days_runs_and_pages(store: FolderStore) -> None:
    for run, n, days, body in [("r2", 10, 1, 4), ("r2", 9, 1, 3), ("r1", 0, 1, 2), ("r3", 0, 0, 1)]:
        raw.write(store, "x", run, n, [_item(body, days)])
    raw.write(store, "other", "r1", 0, [_item(99)])
    assert [item.body for item in raw.read(store, "x")] == [1, 2, 3, 4]
    assert [item.body for item in raw.read(store, "x", date(2026, 11, 25))] == [2, 3, 4]
    assert list(raw.read(store, "x", date(2026, 11, 26))) == []


def test_objects_lie_by_source_and_day_and_are_small(store: FolderStore) -> None:
    raw.write(store, "x", "r", 1, [_item("a" * 100_000), _item("b", days=1)])
    entries = list(store.list("raw/"))
    assert [entry.key for entry in entries] == [
        "raw/source=x/date=2026-11-24/r-000001.jsonl.zst",
        "raw/source=x/date=2026-11-25/r-000001.jsonl.zst",
    ]
    assert entries[0].size < 1000


def test_an_empty_page_writes_nothing(store: FolderStore) -> None:
    raw.write(store, "x", "r", 0, [])
    raw.quarantine(store, "x", "r", 0, [])
    assert list(store.list()) == []


def test_quarantine_keeps_items_with_their_reasons(store: FolderStore) -> None:
    refused = [(_item({"id": 1}), "no author"), (_item({"id": 2}), "created_at is missing")]
    raw.quarantine(store, "x", "r", 0, refused)
    assert list(raw.read_quarantine(store, "x")) == refused
    assert raw.quarantined(store, "x") == 2
    assert raw.quarantined(store, "other") == 0


def test_an_item_refused_by_every_run_counts_once(store: FolderStore) -> None:
    for day, run in enumerate(("r1", "r2", "r3")):
        raw.quarantine(store, "x", run, day, [(_item({"id": 1}, day), "bad")])
    raw.quarantine(store, "x", "r3", 9, [(_item({"id": 2}), "bad"), (_item({"id": 3}), "bad")])
    assert raw.quarantined(store, "x") == 3
    assert raw.quarantined(store, "x", since=date(2026, 11, 25)) == 1
