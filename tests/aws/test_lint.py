"""The checks that no linter makes: each finds the mistake it is for, and none in our files."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from built_layers import RESOURCES
from machines import expressions, wrong_machine
from schedule_times import wrong_expression, wrong_schedules

from muster import errors

HOUSE = Path(__file__).resolve().parents[2]
RAISED = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}


@pytest.mark.parametrize(
    "text",
    ["rate(1 hour)", "rate(5 minutes)", "cron(30 3 * * ? *)", "cron(0/15 8-18 ? * MON-FRI *)",
     "cron(0 9 L * ? *)", "cron(0 9 1W * ? 2027)", "cron(0 6 ? * 2#1 *)", "cron(0 6 ? * 2L *)",
     "cron(0,30 7 1,15 JAN-MAR ? *)", "at(2026-11-27T06:00:00)"],
)  # fmt: skip
def test_a_right_schedule_is_right(text: str) -> None:
    assert list(wrong_expression(text)) == []


@pytest.mark.parametrize(
    "text",
    ["rate(1 hours)", "rate(2 hour)", "rate(0 minutes)", "rate(1 week)", "cron(0 6 * * *)",
     "cron(60 6 * * ? *)", "cron(0 24 * * ? *)", "cron(0 6 * * * *)", "cron(0 6 ? * ? *)",
     "cron(0 6 ? * 0 *)", "cron(0 6 ? * MOO *)", "cron(0 6 32 * ? *)", "cron(0 6 * 13 ? *)",
     "cron(0 18-8 * * ? *)", "cron(0 6 * * ? 1969)", "cron(*/0 6 * * ? *)", "0 6 * * *", "",
     "at(2026-02-30T06:00:00)"],
)  # fmt: skip
def test_a_wrong_schedule_is_named(text: str) -> None:
    (said,) = wrong_expression(text)
    assert not text or text in said


def test_a_schedule_in_no_time_zone_is_named() -> None:
    daily = {"ScheduleExpression": "cron(0 6 * * ? *)", "ScheduleExpressionTimezone": "Berlin"}
    events = {"Daily": {"Type": "ScheduleV2", "Properties": daily}}
    machine = {"Type": "AWS::Serverless::StateMachine", "Properties": {"Events": events}}
    alone = {"Type": "AWS::Scheduler::Schedule", "Properties": daily}
    said = list(wrong_schedules({"Reporting": machine, "Alone": alone}))
    assert said == ["Reporting.Daily: 'Berlin' is no time zone", "Alone: 'Berlin' is no time zone"]


def machine_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HOUSE / "infra" / f"{name}.asl.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("path", sorted((HOUSE / "infra").glob("*.asl.json")), ids=str)
def test_our_machines_are_well(path: Path) -> None:
    machine = json.loads(path.read_text("utf-8"))
    assert list(wrong_machine(machine, RAISED)) == []
    assert len(list(expressions(machine))) > 2


def test_the_schedules_of_our_template_are_right() -> None:
    resources = json.loads(json.dumps(RESOURCES).replace('"Timezone"', '"UTC"'))
    assert list(wrong_schedules(resources)) == []


def _elsewhere(machine: dict[str, Any]) -> None:
    machine["States"]["Plan"]["Next"] = "Sorces"


def _no_end(machine: dict[str, Any]) -> None:
    del machine["States"]["Sources"]["ItemProcessor"]["States"]["Told"]["End"]


def _unknown_error(machine: dict[str, Any]) -> None:
    steps = machine["States"]["Sources"]["ItemProcessor"]["States"]
    steps["Fetch"]["Retry"][0]["ErrorEquals"].append("Unavailible")


def _no_default(machine: dict[str, Any]) -> None:
    del machine["States"]["IsWell"]["Default"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (_elsewhere, "Plan: no step 'Sorces'"),
        (_no_end, "Sources: Told: needs Next or End, and one of them"),
        (_unknown_error, "Sources: Fetch: Retry of 'Unavailible', which no function raises"),
        (_no_default, "IsWell: without Default it fails when nothing matches"),
    ],
)
def test_a_broken_machine_is_named(broken: Any, said: str) -> None:
    machine = machine_of("collect")
    broken(machine)
    assert said in list(wrong_machine(machine, RAISED))
