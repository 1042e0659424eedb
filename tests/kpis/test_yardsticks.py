"""The nine KPIs that the benchmarks know by hand, in Polars and in plain SQL, are Muster's too, on
the threads of a simulated lake that all three understand alike."""

from __future__ import annotations

import dataclasses
import importlib
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from muster.kpis import catalogue, engine, runner
from muster.measured import Coverage
from muster.records import TABLES
from muster.store import FolderStore

BENCH = Path(__file__).parents[2] / "bench"
# A yardstick knows no announcement, thanks, deletion or bot, and no thread that is asked in again
# after a solution or three days of silence.
ALIKE = """
with
written as (
    select
        *,
        row_number() over told as place,
        created_at - lag(created_at) over told as silence,
        bool_or(is_solution) over (told rows between unbounded preceding and 1 preceding) as is_over
    from made
    window told as (partition by source, thread_id order by created_at, message_id)
)
select source, thread_id
from written
group by source, thread_id
having bool_and(
    deleted_at is null
    and author_role <> 'bot'
    and (place > 1 or (author_role = 'member' and direction = 'inbound'))
    and coalesce(silence <= interval 72 hour, true)
    and not (author_role = 'member' and coalesce(is_over, false))
    and (author_role <> 'member' or length(text) > 60)
)
    -- Of those never answered few, so that a p90 is reached.
    and (bool_or(author_role = 'staff') or hash(thread_id) % 8 = 0)
"""


@pytest.fixture
def bench(monkeypatch) -> tuple[ModuleType, ModuleType]:
    """The benchmarks' modules, which are no package."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("lakes"), importlib.import_module("yardsticks")


def made_alike(lakes: ModuleType, folder: Path) -> Path:
    """A lake of threads that are one issue each."""
    with lakes.Made(folder / "made.duckdb", 20_000, seed=3, texts=3_000) as made:
        lakes.export(made, FolderStore(folder / "all"), TABLES["messages"], lakes.END)
        files = f"'{folder}/all/tables/messages/**/*.parquet'"
        made.execute(f"create view made as from read_parquet({files}, hive_partitioning = true)")
        made.execute(f"create table alike as {ALIKE}")
        for (source,) in made.execute("select distinct source from alike").fetchall():
            path = folder / f"lake/tables/messages/source={source}/month=2024-11/part-0.parquet"
            path.parent.mkdir(parents=True)
            rows = "select * exclude (source, month) from made semi join alike"
            rows += f" using (source, thread_id) where source = '{source}'"
            made.execute(f"copy ({rows}) to '{path}'")
    return folder / "lake"


def measured(lakes: ModuleType, lake: Path, nine: tuple[str, ...]) -> dict[Any, float]:
    """KPI and week → value of all issues."""
    kpis = [one for one in catalogue.load() if one.id in nine]
    outcome = runner.measure(
        engine.connect(str(lake)),
        lakes.SETTINGS.model_copy(update={"timezone": "UTC", "sources": ()}),
        [dataclasses.replace(one, grains=("week",)) for one in kpis],
        as_of=lakes.END,
        coverage=[
            Coverage(source=one, table_name="messages", from_at=lakes.START, to_at=lakes.END)
            for one in ("forum", "microblog", "chat")
        ],
    )
    return {(v.kpi, v.period_start): v.value for v in outcome.values if v.segment == "all"}


@pytest.mark.parametrize("program", ["sql", "polars"])
def test_the_nine_known_by_hand_are_the_same(tmp_path, bench, program):
    lakes, yardsticks = bench
    lake = made_alike(lakes, tmp_path)
    found = {
        (kpi, as_date(row["week"])): row[kpi]
        for row in getattr(yardsticks, program)(lake, "1GB")
        for kpi in yardsticks.NINE
        if row[kpi] is not None
    }
    assert len(found) > 600 and {kpi for kpi, _ in found} == {*yardsticks.NINE}
    ours = measured(lakes, lake, yardsticks.NINE)
    assert {key: ours.get(key) for key in found} == pytest.approx(found, abs=1e-8)


def as_date(week: date | datetime) -> date:
    return week.date() if isinstance(week, datetime) else week
