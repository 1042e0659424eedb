"""The stack as it was deployed, and what its schedules brought."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path

import duckdb
import pytest
from lakes import on_a_laptop, rows, tables
from passage import download, keys, log_lines, schedules
from stack import CHOSEN
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


def test_the_deploy_said_what_it_looked_at(cloud: World) -> None:
    """As from a new account: SES in its sandbox, nobody verified, no stack yet."""
    reader = "gets nothing while SES is in its sandbox. Verify it: aws sesv2 create-email-identity"
    for line in (
        "ok   plans: 7 goals, 2 reports",
        "ok   account: 000000000000 in eu-central-1",
        "ok   stack muster-local: will be made",
        "ok   functions at once: ",
        "ok   mail: SES is in its sandbox: 200 mails a day",
        f"ok   sender {CHOSEN['Sender']}: not verified yet: SES mails it a link",
        f"ok   recipient team@nordufer.example: {reader}",
        f"ok   recipient rector@nordufer.example: {reader}",
        "About what a month costs, in USD (list prices of us-east-1",
        "Build Succeeded",
        "Sizes: PlanFunction ",
        "Successfully created/updated stack - muster-local",
        f"SiteUrl: {cloud.stack.outputs['SiteUrl']}",
        "put: muster.yaml",
    ):
        assert f"\n{line}" in cloud.deployed, line
    assert cloud.deployed.index("together ") < cloud.deployed.index("Build Succeeded")
    assert cloud.stack.parameters.items() >= CHOSEN.items()


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


def test_reports_go_out_by_the_clock_of_the_settings(cloud: World) -> None:
    found = [one for one in schedules(cloud.stack) if one["GroupName"] != "default"]
    assert {one["ScheduleExpressionTimezone"] for one in found} == {"Europe/Berlin"}
    assert {one["ScheduleExpression"] for one in found} == {"cron(0 7 ? * MON *)"}


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
