"""What a function's run leaves in the log and in the metrics, and what it must not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mailing import NOW, measured_project
from s3_servers import Server, free_ports, moto

from muster import cloud
from muster.errors import BadSettings
from muster.lake import state
from muster.pipeline.due import plan
from muster.pipeline.plans import check_plans
from muster.pipeline.publish import Reported
from muster.settings import Report

READER = "Ben.Reader@example.org"


PROGRAM = """
import json, sys
from muster import cloud, errors

class Context:
    function_name = "muster-report"
    aws_request_id = "6f1c1f0e"

def answered(event, context):
    if "fails" in event:
        raise errors.Conflict(event["fails"])
    return event["answer"]

for event in json.loads(sys.argv[1]):
    try:
        cloud.logged(answered)(event, Context())
    except errors.Conflict as error:
        print(json.dumps({"raised": str(error)}))  # as Lambda does
"""


def lines_of(*events: dict[str, Any]) -> list[dict[str, Any]]:
    """What a function leaves that answers these calls one after the other, while it is warm."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(events)], capture_output=True, text=True
    )
    assert not ended.returncode and not ended.stderr, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def metrics_of(line: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """The metrics CloudWatch makes of a line: name → value and unit (its embedded format)."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Muster"
    assert directive["Dimensions"] == [["service"]], "each further one would be charged for"
    return {
        one["Name"]: (line[one["Name"]][0], one["Unit"]) for one in directive["Metrics"]
    }  # fmt: skip


def test_numbers_of_an_answer_are_metrics_and_the_source_stands_beside() -> None:
    answer = {"done": True, "wait": 0, "items": 41, "rows": 12, "quarantined": 1, "requests": 3}
    log, counted = lines_of({"run": "r1", "source": "forum", "answer": answer})
    assert (log["run"], log["source"], log["result"]) == ("r1", "forum", answer)
    assert metrics_of(counted) == {
        "Items": (41, "Count"),
        "Rows": (12, "Count"),
        "Requests": (3, "Count"),
        "Quarantined": (1, "Count"),
    }
    assert (counted["run"], counted["source"], counted["service"]) == ("r1", "forum", "muster")


def test_one_call_leaves_nothing_to_the_next() -> None:
    *_, log, counted = lines_of(
        {"source": "forum", "report": "weekly", "answer": {"items": 1}},
        {"answer": {"values": 7, "lag": 90.5}},
    )
    assert metrics_of(counted) == {"Values": (7, "Count"), "LagSeconds": (90.5, "Seconds")}
    assert not {"source", "report"} & (set(log) | set(counted))


def test_no_number_is_no_metric() -> None:
    (log,) = lines_of({"answer": {"lag": None, "sources": []}})
    assert log["result"] == {"lag": None, "sources": []}


def test_no_address_of_a_reader_is_in_a_line() -> None:
    answer = {"recipients": [READER], "reports": ["weekly"], "path": f"s3://lake/{READER}.eml"}
    trouble = f"weekly-2026-W47-ben-reader-example-org-1f.sending.json: {READER} waits"
    event = {"run": "r", "report": "weekly", "recipient": READER}
    log, failed, raised = lines_of({**event, "answer": answer}, {**event, "fails": trouble})
    assert log["result"] == {"recipients": 1, "reports": ["weekly"]}
    assert failed["error"] == "Conflict"
    assert "(recipient)" in failed["reason"] == raised["raised"]
    assert "ben" not in json.dumps([log, failed, raised]).lower()


def test_whom_an_erasure_is_about_is_in_no_line() -> None:
    told = lines_of({"source": "forum", "member": "anna", "fails": "'anna' is a handle"})
    assert [one.get("reason") or one["raised"] for one in told] == ["'(member)' is a handle"] * 2


@pytest.mark.parametrize(
    ("outcome", "error", "sent", "failed"),
    [("sent by SES", "", 1, 0), ("sent before", "", 0, 0), ("written", "", 0, 0),
     ("refused", "no such user", 0, 1), ("unclear", "cut off", 0, 1)],
)  # fmt: skip
def test_a_mail_counts_as_sent_or_failed_once(
    outcome: str, error: str, sent: int, failed: int
) -> None:
    told = Reported("weekly", READER, "Subject", outcome, "path", error)
    assert cloud.delivered(told) == {"outcome": outcome, "sent": sent, "failed": failed}


def test_the_lag_is_that_of_the_source_that_brought_nothing_for_longest(tmp_path: Path) -> None:
    sources = "sources:\n" + "".join(
        f"  - {{name: {name}, platform: {platform}, base_url: 'https://f.example'}}\n"
        for name, platform in (("a", "discourse"), ("b", "discourse"), ("c", "discourse"))
    )
    project = measured_project(tmp_path, more=sources + "  - {name: old, platform: file}\n")
    assert plan(project).lag is None, "nobody ever succeeded"
    for name, hours in (("a", 0.5), ("b", 7), ("old", 99)):
        last = NOW - timedelta(hours=hours)
        state.save(project.lake, name, state.State(last_success_at=last))
    assert plan(project).lag == 7 * 3600
    assert plan(project).sources == ("b", "c")


STACK = {
    "MUSTER_SCHEDULE_GROUP": "muster", "MUSTER_REPORT_MACHINE": "machine",
    "MUSTER_SCHEDULE_ROLE": "role", "MUSTER_SCHEDULE_DLQ": "dlq",
}  # fmt: skip


def test_trouble_with_schedules_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    for name, value in Server(f"http://127.0.0.1:{port}").environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert cloud.keep_schedules(measured_project(tmp_path, environment=STACK)) == 1
    assert cloud.keep_schedules(measured_project(tmp_path)) == 0, "a laptop has none"


def test_a_time_that_no_schedule_takes_stops_nothing_either(tmp_path: Path) -> None:
    early = Report(recipients=("a@example.org",), send_at="mon 01:00", timezone="Asia/Tokyo")
    project = measured_project(tmp_path, environment=STACK)
    settings = project.settings.model_copy(update={"reports": (early,), "timezone": "UTC"})
    assert cloud.keep_schedules(replace(project, settings=settings)) == 1


def test_a_stack_s_plan_makes_the_schedules_of_its_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    with moto() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("scheduler", region_name="us-east-1")
        client.create_schedule_group(Name="muster")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        assert cloud.keep_schedules(measured_project(tmp_path, environment=STACK)) == 0
        (made,) = client.list_schedules(GroupName="muster")["Schedules"]
    assert made["Name"].startswith("weekly-")
    assert made["Target"]["Arn"] == "machine"


def test_an_error_in_a_stack_s_plans_says_where_in_the_bucket_it_stands(tmp_path: Path) -> None:
    """Settings that an earlier version took may not do after an update."""
    goal = "{name: a, objective: b, kpi: nonsuch, target: {at_least: 1}, by: 2027-01-01}"
    (tmp_path / "config").mkdir()
    (tmp_path / "config/muster.yaml").write_text(f"community: X\ngoals:\n  - {goal}\n")
    places = {"MUSTER_LAKE": str(tmp_path), "MUSTER_SITE": "site", "MUSTER_SETTINGS": "config"}
    with cloud.opened(environment=places) as project, pytest.raises(BadSettings) as told:
        check_plans(project)
    assert str(told.value).startswith(f"{tmp_path}/config/muster.yaml:3: ")
    assert "nonsuch" in str(told.value)
