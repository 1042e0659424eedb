"""A part is written anew without being read whole: the bytes are those of all its rows at once."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observations import message, seen

from muster.lake import parquet, rewriting
from muster.lake.cells import cells
from muster.lake.parquet import Opened
from muster.records import TABLES

MESSAGES = TABLES["messages"]
LIMIT = 1 << 26

#: Messages of three threads by number, each with whether it is held and whether it comes anew.
ONE = st.tuples(st.integers(0, 2), st.booleans(), st.booleans())
told = st.lists(ONE, min_size=25, max_size=50)


@pytest.fixture(autouse=True)
def few_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 6)
    monkeypatch.setattr(parquet, "SOME_ROWS", 3)


def _rows(threads: dict[int, int], text: str) -> pa.Table:
    made = [message(n, thread_id=f"t{thread}", text=text) for n, thread in threads.items()]
    return parquet.arrow(MESSAGES, [cells(one, seen(0)) for one in made])


def _stored(rows: pa.Table) -> Opened:
    """A part with its rows just as they are, in order or not."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, row_group_size=4)
    return parquet.opened(MESSAGES, sink.getvalue().to_pybytes(), "here")


def _mask(part: Opened, numbers: Any) -> Any:
    ids = pa.array([f"m{n}" for n in numbers], pa.string())
    return pc.is_in(part.read(["message_id"]).column("message_id"), value_set=ids)


@settings(deadline=None)
@given(told, st.booleans())
def test_what_is_rewritten_are_the_bytes_of_all_rows(
    found: list[tuple[int, bool, bool]], is_sorted: bool
) -> None:
    held = _rows({n: thread for n, (thread, is_held, _) in enumerate(found) if is_held}, "old")
    anew = {n: thread for n, (thread, _, is_new) in enumerate(found) if is_new}
    part = _stored(held.take(parquet.in_order(MESSAGES, held)) if is_sorted else held)
    mask, more = _mask(part, anew), _rows(anew, "new")
    kept = part.read().filter(pc.invert(mask))
    whole = parquet.encode(MESSAGES, pa.concat_tables([kept, more]), limit=LIMIT)
    assert rewriting.rewritten(part, mask, more, limit=LIMIT) == whole
    assert rewriting.picked(part, mask) == part.read().filter(mask)


def test_of_a_part_in_order_only_a_stretch_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths, stretch = list[int](), rewriting._Held.stretch

    def noted(held: rewriting._Held, first: int, end: int) -> pa.Table:
        rows = stretch(held, first, end)
        lengths.append(len(held._rows))
        return rows

    monkeypatch.setattr(rewriting._Held, "stretch", noted)
    rows = _rows(dict.fromkeys(range(100), 0), "old")
    part = _stored(rows.take(parquet.in_order(MESSAGES, rows)))
    rewriting.rewritten(part, _mask(part, []), rows.slice(0, 0), limit=LIMIT)
    assert len(lengths) == 34
    assert max(lengths) < 3 + 3


def test_a_part_stays_full_and_is_so_from_its_limit_on() -> None:
    rows = _rows({1: 0}, "old")
    open_, full = (
        parquet.opened(MESSAGES, parquet.encode(MESSAGES, rows, limit=limit), "here")
        for limit in (LIMIT, 1)
    )
    more, none = rows.slice(0, 0), _mask(open_, [])
    again = [rewriting.rewritten(part, none, more, limit=LIMIT) for part in (open_, full)]
    assert [parquet.is_full(data) for data in again] == [False, True]
    assert parquet.is_full(rewriting.rewritten(open_, none, more, limit=1))
