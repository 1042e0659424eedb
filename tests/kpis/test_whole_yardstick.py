"""Nine KPIs by hand in Polars, by all rulings a simulated lake exercises, are Muster's in every
week."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from muster.kpis import catalogue, engine, runner
from muster.measured import Coverage
from muster.records import TABLES
from muster.store import FolderStore

BENCH = Path(__file__).parents[2] / "bench"
# What simulated lakes of this size have too little of; of the never answered few, so that a p90 is
# reached.
CHANGES = """
delete from said where thread % 8 > 0 and thread in (
    select thread from said group by thread having not bool_or(is_staff)
);
update said set text = 'Can you please help me? Thanks' where place = 0 and thread % 31 = 0;
update said set text = 'Please help me, thanks' where place = 0 and thread % 31 = 1;
update said set text = 'Perfect, thank you' where place = 0 and thread % 31 = 2;
update said set text = 'Wifi is down. Thanks so much in advance' where place = 2 and thread % 31 = 3
    and not is_staff;
update said set author = 's1', is_staff = true where place = 1 and author = 'm0' and thread % 5 = 0;
update accounts set n = 0 where who = 's1';
create table hasty as select * from said where author = 'm13' limit 1;
insert into said
    select hasty.* replace (900 + k as place, created_at + interval 1 second * k as created_at)
    from hasty, range(300) as again(k);
create table copying as select * from said where author = 'm14' limit 1;
insert into said
    select copying.* replace (
        900 + k as place, date_trunc('day', created_at) + interval 1 hour * k as created_at,
        'Cheap watches, only today, only here' as text
    )
    from copying, range(8) as again(k);
"""


@pytest.fixture
def lakes(monkeypatch) -> ModuleType:
    """The benchmarks' modules, which are no package."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("lakes")


def made(lakes: ModuleType, folder: Path) -> Path:
    """A simulated lake in which everything occurs."""
    with lakes.Made(folder / "made.duckdb", 20_000, seed=3, texts=3_000) as rows:
        rows.execute(CHANGES)
        for name in ("messages", "threads", "members"):
            lakes.export(rows, FolderStore(folder / "lake"), TABLES[name], lakes.END)
    return folder / "lake"


def measured(lakes: ModuleType, lake: Path, nine: tuple[str, ...]) -> dict[Any, float]:
    """KPI and week → value of all issues; the conversations are in the lake then."""
    kpis = [one for one in catalogue.load() if one.id in nine]
    outcome = runner.measure(
        engine.connect(str(lake)),
        lakes.SETTINGS,
        [dataclasses.replace(one, grains=("week",)) for one in kpis],
        as_of=lakes.END,
        coverage=[
            Coverage(source=one.name, table_name="messages", from_at=lakes.START, to_at=lakes.END)
            for one in lakes.SETTINGS.sources
        ],
        lake=FolderStore(lake),
    )
    assert outcome.suspected.accounts == 2
    return {(v.kpi, v.period_start): v.value for v in outcome.values if v.segment == "all"}


def occurring(lake: Path) -> dict[str, int]:
    """How many issues there are of what makes counting hard."""
    found = duckdb.sql(f"""
        select
            count(*) filter (issue_kind = 'inbound') as inbound,
            count(*) filter (issue_kind = 'outreach') as outreach,
            count(*) filter (is_reopening) as reopenings,
            count(*) filter (episode > 1 and not is_reopening) as after_a_gap,
            count(*) filter (root_id <> thread_id) as below_announcements,
            count(*) filter (escalated_at is not null) as escalated,
            count(*) filter (resolved_by = 'solution') as solved,
            count(*) filter (resolved_by = 'closed') as closed,
            count(*) filter (resolved_by = 'assumed') as assumed,
            count(*) filter (resolved_at > first_response_at
                and staff_messages > staff_messages_to_resolution) as served_after_resolution,
            count(*) filter (issue_kind is null) as never_answered_about_us
        from read_parquet('{lake}/tables/conversations/**/*.parquet')
    """)
    return dict(zip(found.columns, found.fetchone(), strict=True))


def test_all_nine_by_hand_are_the_same_in_all_weeks(tmp_path, lakes):
    nine = importlib.import_module("yardsticks").NINE
    whole = importlib.import_module("whole_yardstick").whole
    lake = made(lakes, tmp_path)
    found = {
        (kpi, row["week"]): row[kpi]
        for row in whole(lake, "1GB")
        for kpi in nine
        if row[kpi] is not None
    }
    assert measured(lakes, lake, nine) == pytest.approx(found, abs=1e-8)
    assert len(found) > 800 and {kpi for kpi, _ in found} == {*nine}
    few = {name: count for name, count in occurring(lake).items() if count < 10}
    assert not few
