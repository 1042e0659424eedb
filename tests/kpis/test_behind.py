"""What stands behind a value of a KPI of one's own; for those of Muster: test_golden.py."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from small_lake import START, at, lay, message, settings

from muster.errors import BadSettings
from muster.kpis import behind, catalogue, engine
from muster.results import Behind

QUESTION = [
    message("q", 0, text="the printer?"),
    message("a", 2, "staff"),
    message("r", 3, text="a printer!", author_id="bob", thread_id="t2"),
    message("late", 24 * 9, text="printers", author_id="bob", thread_id="t3"),
]
OWN = """\
-- title: Own
-- question: ?
-- definition: ?
-- unit: count
-- better: up
-- statistic: count
-- communities: support
-- version: 1
-- table: messages
"""
FINAL = """
with printing as (select * from human_messages where text like '%printer%' and role = 'member'),
final as (
    select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
    from printing
    join periods
        on printing.created_at >= periods.start_at and printing.created_at < periods.end_at
    group by all
)
select * from final
"""


def own(tmp_path: Path, sql: str, **facts: Any) -> Behind:
    """What stands behind a user's own KPI in the first week."""
    (tmp_path / "own.sql").write_text(OWN + sql)
    kpi = {one.id: one for one in catalogue.load(tmp_path)}["own"]
    connection = engine.connect("/nowhere")
    lay(connection, QUESTION)
    return behind.behind(
        connection, settings(timezone="Europe/Berlin"), kpi, ("week", START.date()), "all",
        as_of=at(days=14), coverage=(), **facts,
    )  # fmt: skip


def test_an_own_kpi_of_any_shape_shows_its_rows(tmp_path):
    found = own(tmp_path, FINAL)
    assert (found.value, found.n, found.trouble) == (2, 2, "")
    (part,) = found.parts
    ids = [row[part.columns.index("message_id")] for row in part.rows]
    assert sorted(ids) == ["q", "r"], "neither the staff's nor the week after's"
    assert part.rows[0][part.columns.index("created_at")].utcoffset() == timedelta(hours=1)


def test_only_so_many_rows_are_told_and_how_many_there_are(tmp_path):
    (part,) = own(tmp_path, FINAL, most=1).parts
    assert (len(part.rows), part.total) == (1, 2)


def test_rows_that_an_author_names_are_told_instead(tmp_path):
    sql = "-- rows: select period_start, segment, source, message_id from opened_issues\n" + FINAL
    (part,) = own(tmp_path, sql).parts
    assert (part.table, part.total) == ("opened_issues", 2)


def test_a_value_without_rows_that_can_be_told_still_stands(tmp_path):
    found = own(tmp_path, "-- rows: select nothing from nowhere\n" + FINAL)
    assert (found.value, found.parts) == (2, ())
    assert "add 'rows:'" in found.trouble and "nowhere" in found.trouble


def test_sql_that_cannot_be_run_is_one_clear_error(tmp_path):
    with pytest.raises(BadSettings, match=r"own\.sql cannot be run: .*nope"):
        own(tmp_path, "select nope from messages")
