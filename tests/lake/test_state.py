"""A source's memory: what is saved is loaded; two runs at once forget nothing they vouch for."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from observations import at

from muster.lake import state
from muster.lake.state import State
from muster.store import FolderStore

FULL = State(
    cursor={"newest": "17", "pages": {"a": [1, None]}},
    covered={"messages": at(5), "members": at(3)},
    since=at(1),
    last_run_at=at(50),
    last_success_at=at(49),
    last_error="429 for an hour",
    rows=12,
    quarantined=3,
)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_what_is_saved_is_loaded(store: FolderStore) -> None:
    assert state.load(store, "x") == State()
    state.save(store, "x", FULL)
    assert state.load(store, "x") == FULL
    assert state.load(store, "y") == State()
    assert FULL.first_row_at == at(3)


def test_the_last_run_wins_but_nothing_vouched_for_is_lost(store: FolderStore) -> None:
    state.save(store, "x", FULL)
    later = State(
        cursor={"newest": "18"}, covered={"messages": at(9), "threads": at(2)}, last_run_at=at(60)
    )
    saved = state.save(store, "x", later)
    assert saved == state.load(store, "x")
    assert saved.cursor == {"newest": "18"}
    assert saved.covered == {"messages": at(5), "members": at(3), "threads": at(2)}
    assert (saved.since, saved.last_success_at, saved.last_error) == (at(1), at(49), "")


def test_saves_at_once_keep_what_each_vouches_for(store: FolderStore) -> None:
    def save(n: int) -> None:
        state.save(store, "x", State(covered={f"t{n}": at(n), "messages": at(100 - n)}))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(save, range(12)))
    assert state.load(store, "x").covered == {
        "messages": at(89),
        **{f"t{n}": at(n) for n in range(12)},
    }


def test_an_older_file_and_one_with_more_are_read(store: FolderStore) -> None:
    store.put("state/x.json", json.dumps({"cursor": {"a": 1}, "new_fact": 2}).encode())
    assert state.load(store, "x") == replace(State(), cursor={"a": 1})
