"""Columns that nobody reads are not stored, and no value depends on it."""

from __future__ import annotations

import random

import pytest
from test_keeping import FIRST, KPIS, SEEN, SETTINGS, SOURCES, WEEK, Life, measured
from thorough import tries

from muster.kpis import engine, lightening, runner
from muster.lake.merge import merge
from muster.measured import Coverage
from muster.store import FolderStore

JUDGED = "select 0 as id, 1 as text, 2 as url, 3 as lang, 4 as tags, 5 as kind"
STEPS = {
    "judged": JUDGED,
    "seen": "select *, 6 as place from judged",
    "others": "select 7 as url, 8 as tags",
    "counted": "with told as (select *, 9 as n from judged) select max(told.n) as url from told",
    "renamed": "with told as (select x.* from judged as x) select told.*, 9 as n from told",
}


def stored(name: str, *asked: str) -> list[str]:
    """The columns of a step that are stored, beside what is asked of them all."""
    sql = lightening.lighter(name, STEPS, asked)
    found = engine.connect("/nowhere").execute(sql)
    return [column[0] for column in found.description]


def test_a_column_is_stored_only_where_it_is_read_of_the_step_or_of_what_hands_it_on():
    asked = (
        "select seen.text, others.url from seen join others on others.tags = seen.place",
        "with others as (select 1 as one from x) select judged.lang from judged",
        "select url from others",
        "-- kind\nselect count(*) from seen",
    )
    assert stored("judged", *asked) == ["id", "text", "lang"]


def test_a_table_called_as_another_is_meant_all_the_same():
    for asked in (
        "select others.url from seen as others",
        "with others as (select x.url from seen as x) select others.url from others",
    ):
        assert stored("judged", asked) == ["id", "url"]


def test_all_columns_are_handed_on_by_way_of_a_statements_own_tables_or_left_behind_there():
    assert "kind" in stored("judged", "select renamed.kind from renamed")
    asked = ("select counted.url, counted.kind from counted", "select judged.text from judged")
    assert stored("judged", *asked) == ["id", "text"]


def test_texts_remarks_and_capitals_do_not_matter():
    asked = "select 'tags )' as x, JUDGED.Url from judged -- a member's lang ("
    assert stored("judged", asked) == ["id", "url"]


@pytest.mark.parametrize(
    "asked",
    [
        "select distinct *, text from seen",
        "select judged.*, 1 as text from judged",
        "select text from judged natural join others",
    ],
)
def test_who_asks_for_all_columns_gets_them(asked):
    assert lightening.lighter("judged", STEPS, [asked]) == JUDGED


def test_a_step_whose_rows_are_only_counted_keeps_the_first_column():
    assert stored("judged", "select count(*) from judged") == ["id"]


@pytest.mark.parametrize("seed", range(tries(2, 40)))
def test_few_kpis_have_the_values_that_they_have_among_all(tmp_path, seed):
    life, now = Life(seed), FIRST + 4 * WEEK
    told = [one for _ in range(5) for one in life.week(now)]
    for source in SOURCES:
        rows = ((row, now - SEEN) for at, row in told if at == source)
        merge(FolderStore(tmp_path), source, rows)
    few = random.Random(seed).sample(KPIS, 3)
    every = measured(tmp_path, now)
    chosen = {one.id for one in few}
    spans = [Coverage(source=at, table_name="messages", from_at=FIRST, to_at=now) for at in SOURCES]
    alone = runner.measure(engine.connect(str(tmp_path)), SETTINGS, few, as_of=now, coverage=spans)
    assert alone.values == tuple(one for one in every.values if one.kpi in chosen)
