"""KPIs of one's own beside the others, where a measuring goes on from the one before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import test_keeping
from test_keeping import FIRST, SEEN, WEEK, afresh, measured, say, told

from muster.kpis import measuring
from muster.lake.merge import merge
from muster.records import Thread
from muster.results import Kpi
from muster.store import FolderStore

ALL = test_keeping.KPIS


def by(grain: str, kpi: Kpi) -> Kpi:
    return replace(kpi, grains=(grain,))


def test_a_kpi_of_ones_own_that_looks_at_now_is_measured_anew(tmp_path, monkeypatch):
    """How old issues are moves with every run, on days that nobody touches too."""
    (model,) = (one for one in ALL if one.id == "first_response_mean")
    ages = "select period_start, 'all' as segment, avg(age_seconds) as value, count(*) as n"
    own = f"{ages} from opened_issues where segment = 'all' group by period_start"
    monkeypatch.setattr(test_keeping, "KPIS", [model, replace(model, id="own", sql=own)])
    lake = tmp_path / "lake"
    say(lake, FIRST, "t1", "member")
    for weeks in (8, 9):
        now = FIRST + weeks * WEEK
        months = [
            one.value for one in measured(lake, now).values
            if (one.kpi, one.grain) == ("own", "month")
        ]  # fmt: skip
        assert months == [(now - FIRST).total_seconds()]


def test_a_kpi_of_ones_own_comes_changes_and_goes_and_nothing_else_is_counted_again(
    tmp_path, monkeypatch
):
    (model,) = (by("year", one) for one in ALL if one.id == "issues_opened")
    lake = tmp_path / "lake"
    for week, times in enumerate([None, 1, 2, None]):
        own = model.sql.replace("count(*) as value", f"{times} * count(*) as value")
        owns = [replace(model, id="own", sql=own)] if times else []
        monkeypatch.setattr(test_keeping, "KPIS", [model, *owns])
        now = FIRST + (week + 1) * WEEK
        say(lake, now - WEEK + SEEN, f"t{week}", "member")
        values = {
            (one.kpi, one.grain, one.period_start): one.value for one in measured(lake, now).values
        }
        opened = {key[1:]: value for key, value in values.items() if key[0] == model.id}
        assert opened["year", FIRST.date().replace(month=1, day=1)] == week + 1
        expected = {("own", *key): times * value for key, value in opened.items()} if times else {}
        assert {key: value for key, value in values.items() if key[0] == "own"} == expected
        monkeypatch.setattr(measuring.Run, "from_scratch", None)  # not once more


def test_a_kpi_of_ones_own_may_read_what_was_not_kept_before(tmp_path, monkeypatch):
    opened, median = (
        next(by("week", one) for one in ALL if one.id == name)
        for name in ("issues_opened", "first_response_median")
    )
    lake, asked = tmp_path / "lake", FIRST
    for week, kpis in ((12, [opened]), (13, [opened, replace(median, id="own")])):
        monkeypatch.setattr(test_keeping, "KPIS", kpis)
        say(lake, asked, f"t{week}", "member")
        say(lake, asked + timedelta(hours=2), f"t{week}", "staff")
        outcome, asked = measured(lake, FIRST + week * WEEK), FIRST + week * WEEK + SEEN
    assert told(outcome) == told(afresh(lake, FIRST + week * WEEK)[0])


def test_a_kpi_of_ones_own_reads_all_threads_though_only_some_were_touched(tmp_path, monkeypatch):
    (model,) = (one for one in ALL if one.id == "first_response_mean")
    sql = """
select period_days.period_start, 'all' as segment, count(*) as value, count(*) as n
from threads join period_days on period_days.day = cast(threads.created_at as date)
group by period_days.period_start
"""
    own = replace(model, id="own", sql=sql, from_days="", grains=("year",))
    monkeypatch.setattr(test_keeping, "KPIS", [model, own])
    lake, found = tmp_path / "lake", []
    for week, thread, seen in ((2, "t1", FIRST), (3, "t2", FIRST + 3 * WEEK - SEEN)):
        say(lake, seen, thread, "member")
        merge(FolderStore(lake), "desk", [(Thread(thread_id=thread, created_at=seen), seen)])
        outcome = measured(lake, FIRST + week * WEEK)
        found += [one.value for one in outcome.values if one.kpi == "own"]
        monkeypatch.setattr(measuring.Run, "from_scratch", None)  # the second goes on
    assert found == [1, 2]
