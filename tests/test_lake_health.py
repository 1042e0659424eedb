"""A damaged lake is found out and mended: every row once, nothing lost, killed anywhere or not."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from command_line import muster
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from muster.lake import checking, mending, parquet, raw, state
from muster.lake.merge import Rules, merge
from muster.lake.places import place_of
from muster.pipeline import health
from muster.project import Project, open_project
from muster.records import TABLES, Audience, Item

sys.path.insert(0, str(Path(__file__).parent / "lake"))
from observations import Dying, at, message, objects, rows, seen

NOW = datetime(2026, 11, 25, tzinfo=UTC)
MESSAGES = TABLES["messages"]
JANUARY, MARCH = (f"tables/messages/source=s/month=2026-0{n}" for n in (1, 3))


#: So many damaged lakes are tried; ``MUSTER_THOROUGH=1`` tries many more.
# Each is seconds of work: what fails is told by its seed, not made smaller for minutes.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
EXAMPLES = 60 if os.environ.get("MUSTER_THOROUGH") else 3


def opened(folder: Path) -> Project:
    (folder / "muster.yaml").write_text("community: Test\n")
    return open_project(folder, clock=lambda: NOW, environment={}, http=None)


@cache
def whole() -> dict[str, bytes]:
    """Three months of messages in several parts, and an audience: every object as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        lake = opened(Path(folder)).lake
        found = [(message(n, created_at=at(24 * (n % 85)), likes=n), seen(n)) for n in range(170)]
        merge(lake, "s", found, rules=Rules(part_bytes=3_000, batch_rows=20))
        counts = [Audience(account="a", metric="followers", measured_on=at(24 * n).date(), value=n)
                  for n in range(40)]  # fmt: skip
        merge(lake, "s", [(one, seen(0)) for one in counts])
        state.save(lake, "s", state.State(covered={"messages": at(0)}))
        return objects(lake, "")


@contextmanager
def lake() -> Iterator[Project]:
    """That lake in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        project = opened(Path(folder))
        for key, data in whole().items():
            project.lake.put(key, data)
        yield project


def _write(store: Any, key: str, table: pa.Table, full: bool = False, **options: Any) -> None:
    facts = {b"muster.table": b"messages", b"muster.schema": b"1"}
    sink = pa.BufferOutputStream()
    facts |= {b"muster.full": b"1"} if full else {}
    pq.write_table(table.replace_schema_metadata(facts), sink, **options)
    store.put(key, sink.getvalue().to_pybytes())


def _part(store: Any, key: str) -> tuple[pa.Table, bool]:
    data = store.get(key).data
    part = parquet.decode(MESSAGES, data, key)
    return part.rows, part.is_full


def _shuffled(store: Any, key: str, rng: random.Random) -> None:
    found, full = _part(store, key)
    _write(store, key, found.take(rng.sample(range(len(found)), len(found))), full)


def _doubled(store: Any, key: str, rng: random.Random) -> None:
    """An earlier observation of some rows, with other words, beside the later one."""
    found, full = _part(store, key)
    _write(store, key, pa.concat_tables([_older(found.slice(0, 3)), found]), full)


def _older(found: pa.Table) -> pa.Table:
    rows = [row | {"text": "before", "observed_at": seen(-9)} for row in found.to_pylist()]
    return parquet.arrow(MESSAGES, rows)


def _without_a_column(store: Any, key: str, rng: random.Random) -> None:
    found, full = _part(store, key)
    _write(store, key, found.drop_columns(["views"]), full)


def _without_statistics(store: Any, key: str, rng: random.Random) -> None:
    found, full = _part(store, key)
    _write(store, key, found, full, write_statistics=False)


def _elsewhere(store: Any, key: str, rng: random.Random) -> None:
    """Some rows have been written into a month they are not of, or into a far part."""
    found, full = _part(store, key)
    month = rng.choice([MARCH, JANUARY, "tables/messages/source=s/month=2020-02"])
    there = f"{month}/part-{rng.choice([rng.randrange(10, 20), rng.randrange(10**6)])}.parquet"
    if store.get(there) or month in key:
        return
    _write(store, there, _older(found.slice(0, 4)) if rng.random() < 0.5 else found.slice(0, 4))
    if rng.random() < 0.5:
        moved, is_full = _part(store, key)
        _write(store, there, moved.slice(0, 4))
        _write(store, key, moved.slice(4), is_full)


def _moved(store: Any, key: str, rng: random.Random) -> None:
    """The only copies of some rows lie in a month they are not of."""
    first = f"{JANUARY}/part-0.parquet"
    found, full = _part(store, first)
    _write(store, f"{MARCH}/part-17.parquet", found.slice(0, 4))
    _write(store, first, found.slice(4), full)


def _renamed(store: Any, key: str, rng: random.Random) -> None:
    folder = key.rpartition("/")[0]
    there = f"{folder}/part-{rng.randrange(20, 30)}.parquet"
    if store.get(there) is None:
        data = store.get(key).data
        store.delete(key)
        store.put(there, data)


def _open_again(store: Any, key: str, rng: random.Random) -> None:
    first = f"{JANUARY}/part-0.parquet"
    key = first if store.get(first) else key
    _write(store, key, _part(store, key)[0])


def _foreign(store: Any, key: str, rng: random.Random) -> None:
    folder = key.rpartition("/")[0]
    store.put(f"{folder}/part-0 (copy).parquet", store.get(key).data)
    store.put("tables/messages/notes.txt", b"do not touch")
    store.put(f"{folder}/part-40.parquet", store.get(key).data[:-20])


DAMAGES: list[Callable[[Any, str, random.Random], None]] = [
    _shuffled, _doubled, _without_a_column, _without_statistics, _elsewhere, _renamed,
    _open_again, _foreign,
]  # fmt: skip


def damage(store: Any, seed: int, damages: list[Callable[..., None]]) -> None:
    rng = random.Random(seed)
    for one in damages:
        keys = [entry.key for entry in store.list("tables/messages/")]
        whole = [key for key in keys if "(copy)" not in key and "part-40" not in key
                 and key.endswith(".parquet")]  # fmt: skip
        one(store, rng.choice(whole), rng)


def read_by_duckdb(project: Project) -> tuple[int, int]:
    """How many rows and how many keys any reader of the folder sees."""
    pattern = f"{project.lake.url()}/tables/messages/**/*.parquet"
    sql = f"select count(*), count(distinct message_id) from read_parquet('{pattern}')"
    found = duckdb.sql(sql).fetchone()
    assert found is not None
    return found


def test_a_lake_that_merges_wrote_is_well_and_a_repair_changes_no_byte() -> None:
    with lake() as project:
        before = objects(project.lake, "")
        assert health.check(project).found == ()
        assert health.repair(project) == health.Repaired()
        assert objects(project.lake, "") == before
        assert len([key for key in before if "2026-01" in key]) > 2, "parts must have filled up"


@settings(max_examples=EXAMPLES, deadline=None, phases=NO_SHRINKING)
@example(1, [_moved])
@example(2, [_doubled, _shuffled])
@given(st.integers(0, 2**32), st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=4))
def test_every_damage_is_found_and_mended_without_loss(
    seed: int, damages: list[Callable[..., None]]
) -> None:
    with lake() as project:
        before = rows(project.lake)
        damage(project.lake, seed, damages)
        repaired = health.repair(project)
        assert {one.kind for one in repaired.left} <= {"aside"}
        assert rows(project.lake) == before
        assert read_by_duckdb(project) == (len(before), len(before))
        assert health.repair(project).mended == ()


@settings(max_examples=EXAMPLES // 2, deadline=None, phases=NO_SHRINKING)
@given(st.integers(0, 2**32))
def test_killed_anywhere_nothing_is_missing_and_the_next_repair_ends_the_same(seed: int) -> None:
    with lake() as project:
        before = rows(project.lake)
        damage(project.lake, seed, random.Random(seed).sample(DAMAGES[1:], 3))
        left = random.Random(seed).randrange(4, 16)  # the first four are probe and forgetting
        killed = replace(project, lake=Dying(project.lake, left))  # type: ignore[arg-type]
        try:
            health.repair(killed)
        except KeyboardInterrupt:
            keys = {row["message_id"] for key in objects(project.lake) if _is_read(project, key)
                    for row in _part(project.lake, key)[0].to_pylist()}  # fmt: skip
            assert keys == {row["message_id"] for row in before}
        health.repair(project)
        assert rows(project.lake) == before


def _is_read(project: Project, key: str) -> bool:
    return "messages" in key and "part-40" not in key and key.endswith(".parquet")


def _found(project: Project) -> dict[str, int]:
    return {one.kind: one.count for one in health.check(project).found}


def test_what_cannot_be_mended_is_set_aside_byte_for_byte_and_named() -> None:
    with lake() as project:
        store = project.lake
        torn = store.get(f"{MARCH}/part-0.parquet").data[:500]
        store.put("tables/messages/source=s/month=2026-09/part-0.parquet", torn)
        store.put("tables/orders/orders.csv", b"order_id,revenue\n1,2\n")
        store.put("state/other.json", b"{half")
        assert _found(project) == {"unreadable": 1, "foreign": 1, "state": 1}
        repaired = health.repair(project)
        assert repaired.is_well
        kept = {place.split("/", 2)[2]: store.get(place).data for place in repaired.aside}
        assert kept == {
            "tables/messages/source=s/month=2026-09/part-0.parquet": torn,
            "tables/orders/orders.csv": b"order_id,revenue\n1,2\n",
            "state/other.json": b"{half",
        }
        assert _found(project) == {"aside": 1}


def test_rows_without_what_their_table_requires_are_set_aside_and_the_others_stay() -> None:
    with lake() as project:
        store, key = project.lake, f"{JANUARY}/part-0.parquet"
        found, full = _part(store, key)
        found = found.cast(pa.schema([one.with_nullable(True) for one in found.schema]))
        lacking = found.slice(0, 2).set_column(
            found.column_names.index("thread_id"), "thread_id", pa.nulls(2, pa.string())
        )
        _write(store, key, pa.concat_tables([lacking, found.slice(2)]), full)
        assert _found(project) == {"broken": 2}
        (place,) = health.repair(project).aside
        aside = pq.ParquetFile(pa.BufferReader(store.get(place).data)).read()
        assert aside.to_pylist() == lacking.to_pylist()
        assert len(rows(store)) == 168
        assert [one.kind for one in health.check(project).found] == ["aside"]


def test_an_object_of_a_newer_muster_is_named_and_left_alone() -> None:
    with lake() as project:
        store, key = project.lake, f"{MARCH}/part-0.parquet"
        found, full = _part(store, key)
        _write(store, key, found.append_column("mood", pa.nulls(len(found), pa.string())), full)
        before = objects(store, "tables/")
        assert _found(project) == {"newer": 1}
        assert not health.repair(project).is_well
        assert objects(store, "tables/") == before


def test_a_value_the_table_does_not_know_is_counted_and_left_alone() -> None:
    with lake() as project:
        store, key = project.lake, f"{MARCH}/part-0.parquet"
        found, full = _part(store, key)
        at_kind = found.column_names.index("kind")
        kinds = pa.array(["story"] * len(found))
        _write(store, key, found.set_column(at_kind, found.schema.field("kind"), kinds), full)
        assert _found(project)["unknown_value"] == len(found)
        before = rows(store)
        assert not health.repair(project).is_well
        assert rows(store) == before


def test_a_part_far_above_its_size_is_split_and_each_row_stays_once() -> None:
    with lake() as project:
        before = rows(project.lake)
        place = place_of(f"{JANUARY}/part-0.parquet")
        last = max(int(key.split("part-")[1][:-8]) for key in objects(project.lake, JANUARY))
        assert mending.split(project.lake, place, last, size=500) > 2
        assert rows(project.lake) == before
        assert health.check(project).found == ()
        merge(project.lake, "s", [(message(0, created_at=at(0), likes=99), seen(900))])
        assert read_by_duckdb(project) == (170, 170)


def test_a_huge_part_is_found_by_what_it_takes_in_memory() -> None:
    with lake() as project:
        key = f"{MARCH}/part-0.parquet"
        found, _ = _part(project.lake, key)
        _write(project.lake, key, found)
        data = project.lake.get(key).data
        assert [one.kind for one in checking.faults(place_of(key), data, NOW, largest=1000)] == [
            "too_large"
        ]


def test_a_cursor_that_passed_items_of_which_no_row_is_left_is_found() -> None:
    with lake() as project:
        state.save(project.lake, "gone", state.State(cursor={"page": 3}))
        assert health.check(project).found == ()  # it may have seen nothing yet
        raw.write(project.lake, "gone", "run", 0, [Item("post", {"id": 1}, NOW)])
        (found,) = health.check(project).found
        assert (found.kind, found.where) == ("no_rows", "state/gone.json")
        assert "muster replay" in found.sentence()


def test_rows_of_the_future_and_orphans_and_left_overs_are_told_but_not_wrong() -> None:
    with lake() as project:
        late = message(1, created_at=NOW.replace(year=2027), message_id="late", parent_id="nobody")
        merge(project.lake, "t", [(late, seen(0))])
        project.lake.put("probe-1", b"1")
        checked = health.check(project)
        assert {one.kind for one in checked.found} == {
            "future", "orphans", "left_over", "no_state",
        }  # fmt: skip
        assert checked.is_well
        health.repair(project)
        assert project.lake.get("probe-1") is None


def test_the_command_ends_with_1_while_something_is_wrong_and_says_what_to_do() -> None:
    with lake() as project:
        _shuffled(project.lake, f"{JANUARY}/part-0.parquet", random.Random(1))
        ended = muster(project.folder, "lake", "check", "--json")
        told = json.loads(ended.stdout)
        assert (ended.returncode, told["is_well"]) == (1, False)
        assert told["found"][0]["kind"] == "unsorted"
        assert "muster lake repair" in told["found"][0]["do"]
        mended = muster(project.folder, "lake", "repair")
        assert mended.returncode == 0
        assert "the lake is well" in mended.stdout
