"""Whatever was done to a lake, and killed while doing it, any reader's glob sees each key once."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from observations import Dying, at, deletion, message, objects, rows, seen
from thorough import tries

from muster.lake import mending
from muster.lake.merge import Observed, Rules, merge
from muster.lake.places import place_of
from muster.pipeline import erase, health
from muster.project import Project, open_project
from muster.records import TABLES, Audience, Member

SMALL = Rules(part_bytes=3_000, batch_rows=12, sleep=lambda _: None)
SOURCES = ("forum", "x")
WRITTEN = ("messages", "members", "audience")
Keys = list[tuple[Any, ...]]


def by_duckdb(folder: str, columns: list[str]) -> Keys:
    names = ", ".join(columns)
    return duckdb.sql(f"select {names} from '{folder}/**/*.parquet'").fetchall()


def by_pyarrow(folder: str, columns: list[str]) -> Keys:
    return _listed(ds.dataset(folder, partitioning="hive").to_table(columns).to_pylist(), columns)


def by_pandas(folder: str, columns: list[str]) -> Keys:
    return _listed(pd.read_parquet(folder)[columns].to_dict("records"), columns)


def by_polars(folder: str, columns: list[str]) -> Keys:
    found = pl.read_parquet(f"{folder}/**/*.parquet", hive_partitioning=True)
    return found.select(columns).rows()


def _listed(found: Iterable[dict[Any, Any]], columns: list[str]) -> Keys:
    return [tuple(row[name] for name in columns) for row in found]


READERS: list[Callable[[str, list[str]], Keys]] = [by_duckdb, by_pyarrow, by_pandas, by_polars]


@dataclass
class Life:
    """A lake that a random life is led in, beside one in which nothing ever went wrong."""

    project: Project
    calm: Project
    rng: random.Random
    hour: int = 0
    told: dict[str, list[Observed]] = field(default_factory=dict)

    def bring(self, source: str, found: list[Observed]) -> None:
        """Merge into both; here the process is killed at some write, and run again."""
        self.told.setdefault(source, []).extend(found)
        dying = Dying(self.project.lake, self.rng.randrange(6))  # type: ignore[arg-type]
        with suppress(KeyboardInterrupt):
            merge(dying, source, found, rules=SMALL)
        merge(self.project.lake, source, found, rules=SMALL)
        merge(self.calm.lake, source, found)

    def seen(self) -> datetime:
        """An hour later than all before."""
        self.hour += 1
        return seen(self.hour)


def write(life: Life) -> None:
    """New and edited messages, members and counts."""
    now, first = life.seen(), life.rng.randrange(40)
    found: list[Observed] = []
    for n in range(first, first + 25):
        found.append((message(n, likes=life.rng.randrange(3), created_at=at(26 * n)), now))
        found.append((Member(member_id=f"a{n % 7}", handle=f"h{life.rng.randrange(3)}"), now))
        day = at(26 * n).date()
        found.append((Audience(account="a", metric="followers", measured_on=day, value=n), now))
    life.bring(life.rng.choice(SOURCES), found)


def take_back(life: Life) -> None:
    """Some messages are deleted on the platform."""
    now = life.seen()
    gone = [replace(deletion(n, at(9999)), created_at=at(26 * n)) for n in range(5, 60, 11)]
    life.bring(life.rng.choice(SOURCES), [(one, now) for one in gone])


def replay(life: Life) -> None:
    """All that a source ever told is told again, as from raw."""
    for source, found in list(life.told.items()):
        merge(life.project.lake, source, found, rules=SMALL)


def split(life: Life) -> None:
    """A part is split as one far above its size would be."""
    places = [place for key in objects(life.project.lake) if (place := place_of(key))]
    if places:
        place = life.rng.choice(places)
        last = max(one.part for one in places if one.folder == place.folder)
        mending.split(life.project.lake, place, last, size=900)


def repair(life: Life) -> None:
    """A part of one month lies in another too, as after a copy by hand; a repair is killed."""
    found = objects(life.project.lake, "tables/messages/")
    if not found:
        return
    key = life.rng.choice(list(found))
    life.project.lake.put(
        f"{key.rpartition('/month=')[0]}/month=2020-01/part-0.parquet", found[key]
    )
    dying = Dying(life.project.lake, life.rng.randrange(3, 12))  # type: ignore[arg-type]
    with suppress(KeyboardInterrupt):
        health.repair(replace(life.project, lake=dying))
    if doubled(life.project):
        assert not health.check(life.project).is_well, "a key that stands twice must be found"
    assert health.repair(life.project).is_well


STEPS = [write, take_back, replay, split, repair]


def doubled(project: Project) -> int:
    """How many messages too many a plain reader sees."""
    found = [(row["source"], row["message_id"]) for row in rows(project.lake)]
    return len(found) - len(set(found))


def opened(folder: Path) -> Project:
    folder.mkdir()
    named = "".join(f"  - {{name: {one}, platform: file}}\n" for one in SOURCES)
    (folder / "muster.yaml").write_text(f"community: Test\nsources:\n{named}")
    now = datetime(2026, 12, 30, tzinfo=UTC)
    return open_project(folder, clock=lambda: now, environment={}, http=None)


def every_reader_sees_each_key_once(project: Project) -> None:
    for name in WRITTEN:
        if not objects(project.lake, f"tables/{name}/"):
            continue
        columns, folder = ["source", *TABLES[name].key], project.lake.url(f"tables/{name}")
        seen_by = [sorted(map(_plain, read(folder, columns))) for read in READERS]
        assert len(seen_by[0]) == len(set(seen_by[0])), name
        assert all(found == seen_by[0] for found in seen_by), name


def _plain(key: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(str(one)[:10] if hasattr(one, "year") else str(one) for one in key)


# What fails is told by its seed: each is seconds of work, not made smaller for minutes.
@settings(max_examples=tries(2, 200), phases=(Phase.explicit, Phase.reuse, Phase.generate))
@example(1_961_152_675, [write, take_back, replay, repair, split])  # an empty part is split
@given(st.integers(0, 2**32), st.permutations(STEPS))
def test_every_reader_sees_each_key_once_after_every_step(
    seed: int, steps: list[Callable[[Life], None]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        both = opened(Path(folder) / "lake"), opened(Path(folder) / "calm")
        life = Life(*both, random.Random(seed))
        for step in (write, *steps, write):
            step(life)
            every_reader_sees_each_key_once(life.project)
        for name in WRITTEN:
            assert rows(life.project.lake, name) == rows(life.calm.lake, name)
        erase.erase(life.project, next(iter(life.told)), "a1")
        every_reader_sees_each_key_once(life.project)


@pytest.mark.parametrize("read", READERS)
def test_a_reader_that_would_hide_a_double_is_no_proof(
    read: Callable[[str, list[str]], Keys], tmp_path: Path
) -> None:
    project = opened(tmp_path / "lake")
    merge(project.lake, "x", [(message(1), seen(1))])
    (data,) = objects(project.lake).values()
    project.lake.put("tables/messages/source=x/month=2020-01/part-0.parquet", data)
    assert len(read(project.lake.url("tables/messages"), ["source", "message_id"])) == 2
