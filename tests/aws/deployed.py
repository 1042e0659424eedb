"""The stack as it was deployed, and what its schedules brought."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path

import duckdb
import pytest
from lakes import on_a_laptop, rows, tables
from passage import download, glue_tables, keys, log_lines, schedules
from world import MACHINES, World

from muster.lake import state
from muster.store import FolderStore

SOURCES = ("forum", "x", "bluesky")


@pytest.fixture(scope="module")
def lake(cloud: World) -> Path:
    """The stack's lake after the first run, as a folder."""
    folder = cloud.work / "first"
    download(cloud.stack, "LakeBucket", folder)
    return folder


def test_the_schedules_work_ended_well(cloud: World) -> None:
    assert {name: one.status for name, one in cloud.ran.items()} == dict.fromkeys(
        cloud.ran, "SUCCEEDED"
    )
    assert set(cloud.ran) == {
        "Collect {}", "Reporting {}",
        'Reporting {"report": "weekly"}', 'Reporting {"report": "executive"}',
    }  # fmt: skip


def test_each_report_is_mailed_by_its_own_schedule(cloud: World) -> None:
    mails = [email.message_from_bytes(one, policy=email.policy.default)
             for one in cloud.recorder.mails]  # fmt: skip
    assert {str(one["To"]) for one in mails} == {"team@nordufer.example", "cio@nordufer.example"}
    assert len(mails) == 2
    for one in mails:
        assert one["From"].addresses[0].addr_spec == "muster@nordufer.example"
        assert "University IT Help Desk" in one.get_body(("html",)).get_content()
        assert [part for part in one.walk() if part.get_content_type() == "image/png"]


def test_every_machine_has_a_schedule_that_keeps_what_it_cannot_start(cloud: World) -> None:
    found = {one["Target"]["Arn"]: one["Target"] for one in schedules(cloud.stack)}
    assert {cloud.stack.resources[name] for name in MACHINES} <= set(found)
    queue = cloud.stack.resources["MissedCalls"].rpartition("/")[2]
    assert {one["DeadLetterConfig"]["Arn"].rpartition(":")[2] for one in found.values()} == {queue}
    assert all(one["RetryPolicy"]["MaximumRetryAttempts"] > 0 for one in found.values())


def test_every_source_was_fetched(lake: Path) -> None:
    memories = {name: state.load(FolderStore(lake), name) for name in SOURCES}
    assert all(one.last_success_at and not one.last_error for one in memories.values())


def test_the_lake_is_the_one_a_laptop_makes_of_the_same_platforms(cloud: World, lake: Path) -> None:
    other = on_a_laptop(cloud, lake, cloud.work / "laptop")
    assert tables(lake) == tables(other) > {"messages", "members", "conversations", "kpi_values"}
    counts = {}
    for table in sorted(tables(lake)):
        here, there = rows(lake, table), rows(other, table)
        counts[table] = len(here)
        assert here == there, table
    print(json.dumps(counts))
    assert counts["messages"] > 3000 and counts["kpi_values"] > 20_000


def test_the_site_lies_in_its_bucket(cloud: World) -> None:
    assert {"index.html", "data/kpi_values.parquet"} <= set(keys(cloud.stack, "SiteBucket"))


def test_neither_tokens_nor_people_stand_in_the_logs(cloud: World, lake: Path) -> None:
    functions = cloud.stack.of_type("AWS::Lambda::Function")
    lines = [line for name in functions for line in log_lines(cloud.stack, name)]
    assert {line.get("function") for line in lines} >= {
        cloud.stack.resources[name] for name in ("PlanFunction", "FetchFunction")
    }
    said = json.dumps(lines)
    assert not [name for name, token in cloud.platforms.tokens.items() if token in said]
    texts = duckdb.sql(
        f"select distinct text from '{lake}/tables/messages/**/*.parquet' where length(text) > 20"
    ).fetchall()
    assert len(texts) > 1000
    assert not [text for (text,) in texts if json.dumps(text)[1:-1] in said]


def test_every_call_came_by_tls_and_named_its_function(cloud: World) -> None:
    known = {line.split()[0] for line in cloud.callers.read_text("utf-8").splitlines()}
    assert len(known) >= 4
    assert {one.key for one in cloud.recorder.requests} - {"test"} == known


def test_athena_sees_the_tables_as_they_are_written(cloud: World, lake: Path) -> None:
    found = glue_tables(cloud.stack)
    if not found:
        pytest.skip("the template defines no Glue table yet")
    for name in sorted(set(found) & tables(lake)):
        described = duckdb.sql(f"describe from '{lake}/tables/{name}/**/*.parquet'").fetchall()
        columns = {one["Name"] for one in found[name]["StorageDescriptor"]["Columns"]}
        assert columns >= {row[0] for row in described} - {"source", "month", "year"}, name
