"""Measuring: periods, flags, zeros, the user's own KPIs, failures that stay alone, the tables."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest
from small_lake import SOURCE, at, covers, found, measured, message, settings, values, write

from muster.errors import BadSettings
from muster.kpis import catalogue, engine, runner
from muster.pipeline.forgetting import forget
from muster.records import Thread
from muster.store import FolderStore

WEEK = at(hours=-9)  # Monday, midnight
ROWS = [message("q", 0, text="Where?"), message("a", 2, "staff", text="There")]


def own_kpi(**more):
    messages = next(kpi for kpi in catalogue.load() if kpi.id == "messages")
    return dataclasses.replace(messages, id="own", **more)


def test_a_users_kpi_is_measured_like_ours(tmp_path):
    header = catalogue.BUILT_IN.joinpath("messages.sql").read_text().split("\n\n")[0]
    sql = """
select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
from human_messages join periods
    on human_messages.created_at >= periods.start_at and human_messages.created_at < periods.end_at
where human_messages.is_staff group by periods.period_start
"""
    (tmp_path / "staff_messages.sql").write_text(f"{header}\n\n{sql}")
    (own,) = [kpi for kpi in catalogue.load(tmp_path) if kpi.id == "staff_messages"]
    outcome = measured(ROWS, as_of=at(days=7), kpis=[own])
    assert values(outcome, "staff_messages") == {"2026-03-02": 1}
    assert values(outcome, "staff_messages", "year") == {"2026-01-01": 1}


@pytest.mark.parametrize(
    "asked",
    [
        "text = 'Where?'", "url = 'https://x/q'", "lang = 'de'", "channel = 'mail'",
        "direction = 'inbound'", "list_contains(tags, 'new')", "not is_deleted and role = 'member'",
    ],
)  # fmt: skip
def test_a_users_kpi_reads_any_column_of_a_message(asked):
    sql = f"""
select period_days.period_start, 'all' as segment, count(*) as value, count(*) as n
from human_messages join period_days on period_days.day = human_messages.day
where {asked} group by period_days.period_start
"""
    told = {"url": "https://x/q", "lang": "de", "channel": "mail", "tags": ("new",)}
    rows = [message("q", 0, text="Where?", **told), ROWS[1]]
    outcome = measured(rows, as_of=at(days=7), kpis=[own_kpi(sql=sql)])
    assert values(outcome, "own") == {"2026-03-02": 1}


def test_every_grain_has_its_own_first_day():
    outcome = measured(ROWS, as_of=at(days=40), kpis=["messages"])
    starts = {
        grain: next(iter(values(outcome, "messages", grain)))
        for grain in ("day", "week", "month", "quarter", "year")
    }
    assert starts == {
        "day": "2026-03-02", "week": "2026-03-02", "month": "2026-03-01",
        "quarter": "2026-01-01", "year": "2026-01-01",
    }  # fmt: skip


def test_days_are_the_communitys_own():
    late = [message("q", 0, created_at=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))]
    for zone, day in (("UTC", "2026-03-02"), ("Europe/Berlin", "2026-03-03")):
        outcome = measured(late, as_of=at(days=7), kpis=["messages"], timezone=zone)
        assert values(outcome, "messages", "day") == {day: 1}


def test_the_running_period_is_partial_and_a_finished_one_is_not():
    rows = [*ROWS, message("q2", 24 * 7, thread_id="t2")]
    outcome = measured(rows, as_of=at(days=8), kpis=["messages"])
    flags = {str(one.period_start): one.partial for one in found(outcome, "messages")}
    assert flags == {"2026-03-02": False, "2026-03-09": True}


@pytest.mark.parametrize(
    ("kpi", "windows", "days"),
    [
        ("response_rate", {}, 1),
        ("resolution_rate", {}, 7),
        ("resolution_rate", {"resolution": "3d"}, 3),
        ("reopened_rate", {}, 14),
        ("messages", {}, 0),
    ],
)
def test_a_rate_is_partial_until_its_window_has_passed_after_the_period(kpi, windows, days):
    closed = Thread(thread_id="t1", created_at=at(0), closed_at=at(3))
    settled = WEEK + timedelta(days=7 + days)
    for as_of, is_partial in ((settled - timedelta(seconds=1), True), (settled, False)):
        outcome = measured([*ROWS, closed], as_of=as_of, kpis=[kpi], windows=windows)
        first = found(outcome, kpi)[0]
        assert (str(first.period_start), first.partial) == ("2026-03-02", is_partial)


def test_a_source_with_a_longer_window_of_its_own_is_waited_for():
    own = [{"name": "desk", "platform": "file", "windows": {"answer": "3d"}}]
    settled = WEEK + timedelta(days=7 + 3)
    for as_of, is_partial in ((settled - timedelta(seconds=1), True), (settled, False)):
        outcome = measured(ROWS, as_of=as_of, kpis=["response_rate"], sources=own)
        assert found(outcome, "response_rate")[0].partial == is_partial


def test_too_few_flags_estimates_and_no_counts():
    outcome = measured(ROWS, as_of=at(days=7), min_n=2)
    flags = {one.kpi: one.too_few for one in outcome.values if one.grain == "week"}
    assert (
        flags["first_response_median"] and flags["first_response_mean"] and flags["response_rate"]
    )
    assert not flags["messages"] and not flags["issues_opened"]


def test_a_zero_needs_a_success_over_the_whole_period():
    later = WEEK.replace(day=9)
    for start, end, expected in (
        (later, WEEK.replace(day=16), {"2026-03-09": 0}),
        (later.replace(hour=1), WEEK.replace(day=16), {}),
        (later, WEEK.replace(day=15, hour=23), {}),
    ):
        outcome = measured([], as_of=at(days=20), kpis=["messages"], coverage=[covers(start, end)])
        assert values(outcome, "messages") == expected


def test_the_answer_is_found_behind_many_messages():
    crowd = [message(f"m{n:03}", n / 100, author_id=f"peer {n}") for n in range(150)]
    outcome = measured([*crowd, message("z", 2, "staff")], as_of=at(days=7))
    assert values(outcome, "first_response_mean") == {"2026-03-02": 7200}


def test_values_carry_the_version_of_their_definition():
    outcome = measured(ROWS, as_of=at(days=7), kpis=[own_kpi(version=3)])
    assert {one.version for one in outcome.values if one.kpi == "own"} == {3}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sql": "select nonsense"}, "KPI own: its SQL cannot be run"),
        ({"sql": "select $secret"}, r"KPI own: .*no parameter \$secret: there are"),
        ({"highest": 0.5}, r"KPI own, by week: a value is above 0.5 \(period of 2026-03-02\)"),
        ({"assertions": ("value <> 1",)}, "KPI own, by week: the assertion 'value <> 1'"),
        (
            {"sql": "select date '2026-03-02' as period_start, 'all' as segment, 1 as value, "
                    "1 as n union all select date '2026-03-02', 'all', 2, 1"},
            "KPI own, by week: a segment has two values in one period",
        ),
        (
            {"sql": "select date '2026-03-02' as period_start, 'all' as segment, 'nan'::double "
                    "as value, 1 as n"},
            "a value is no finite number",
        ),
        (
            {"sql": "select date '2026-03-03' as period_start, 'all' as segment, 1 as value, "
                    "1 as n", "from_days": ""},
            r"by week: period_start begins no period, join periods \(period of 2026-03-03\)",
        ),
        ({"sql": "select * from read_csv('gone.csv')"}, "KPI own: its SQL cannot be run: .*gone"),
    ],
)  # fmt: skip
def test_a_kpi_that_fails_is_named_and_the_others_go_on(changes, said):
    broken = own_kpi(grains=("week",), **changes)
    outcome = measured(ROWS, as_of=at(days=7), kpis=["issues_opened", broken])
    assert len(outcome.problems) == 1
    assert not [one for one in outcome.values if one.kpi == "own"]
    assert [one.value for one in found(outcome, "issues_opened")] == [1]
    assert re.search(said, outcome.problems[0])


def test_a_pattern_that_is_no_expression_is_refused_by_its_key():
    with pytest.raises(BadSettings, match=r"auto_replies: '\(\?=a\)' is no regular expression"):
        measured(ROWS, as_of=at(days=7), auto_replies=["(?=a)"])
    own = [{"name": "desk", "platform": "file", "escalation": {"patterns": ["(?=a)"]}}]
    with pytest.raises(BadSettings, match=r"sources: desk: escalation: '\(\?=a\)' is no regular"):
        measured(ROWS, as_of=at(days=7), sources=own)


def test_who_still_waits_is_listed_longest_first():
    rows = [
        message("old", 0, thread_id="t1", url="https://example.org/1", channel="printing"),
        message("new", 5, thread_id="t2"),
        message("done", 0, thread_id="t3"),
        message("answer", 1, "staff", thread_id="t3"),
        Thread(thread_id="t1", title="Printer", created_at=at(0)),
    ]
    waiting = measured(rows, as_of=at(10), kpis=[]).waiting
    assert [(one.message_id, one.waited_seconds, one.title) for one in waiting] == [
        ("old", 36000.0, "Printer"), ("new", 18000.0, None),
    ]  # fmt: skip
    assert (waiting[0].source, waiting[0].channel) == (SOURCE, "printing")
    assert waiting[0].opened_at == at(0)


def test_the_derived_tables_are_written_the_same_every_time_and_can_be_read(tmp_path):
    url = write(tmp_path, ROWS)
    runs = []
    for _ in range(2):
        lake = FolderStore(tmp_path)
        outcome = runner.measure(
            engine.connect(url), settings(), catalogue.load(), as_of=at(days=7),
            coverage=[covers(WEEK, at(days=7))], lake=lake,
        )  # fmt: skip
        runs.append({entry.key: entry.etag for entry in lake.list("tables/")})
        forget(lake)
    assert runs[0] == runs[1]
    names = ("coverage", "kpi_values", "suspected_accounts", "waiting")
    assert {f"tables/{name}/part-0.parquet" for name in names} < set(runs[0])
    assert "tables/conversations/month=2026-03/part-0.parquet" in runs[0]
    counted = engine.ask(url, "select count(*), sum(value) from kpi_values")
    assert counted.rows == ((len(outcome.values), sum(one.value for one in outcome.values)),)
    asked = "select opened_at, first_response_seconds from conversations"
    assert engine.ask(url, asked).rows == ((at(0).replace(tzinfo=None), 7200.0),)


def test_of_many_that_wait_the_longest_are_told_and_the_others_counted():
    rows = [message(f"q{n}", n / 100, thread_id=f"t{n}") for n in range(runner.WAITING_TOLD + 3)]
    outcome = measured(rows, as_of=at(days=1), kpis=["unanswered_issues"])
    assert outcome.waiting[0].message_id == "q0"
    assert (len(outcome.waiting), outcome.waiting_more) == (runner.WAITING_TOLD, 3)


def test_who_has_waited_for_more_than_a_month_comes_after_the_others_and_is_counted():
    days = {"older": 0, "old": 1, "new": 3, "newer": 4}
    rows = [message(name, day * 24, thread_id=name) for name, day in days.items()]
    outcome = measured(rows, as_of=at(days=32), kpis=[])
    assert [one.message_id for one in outcome.waiting] == ["new", "newer", "older", "old"]
    assert (outcome.waiting_old, outcome.waiting_more) == (2, 0)


def test_every_value_is_told_once():
    outcome = measured(ROWS, as_of=at(days=40), coverage=[covers(WEEK, at(days=40))])
    keys = [(one.kpi, one.grain, one.period_start, one.segment) for one in outcome.values]
    assert len(set(keys)) == len(keys) > 500


def test_an_empty_lake_has_nothing_to_say():
    outcome = measured([], as_of=at(days=7))
    assert outcome == runner.Outcome((), (), ())
