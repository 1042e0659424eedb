"""What each role allows, beside what its function called in the runs before: no more, no less."""

from __future__ import annotations

import json

import pytest
from calls import Call
from machines import named_functions
from passage import schedules
from roles import allowed, by_lambda, made, missing, of_role, unused
from world import World

# Rights to every object of a bucket: the site is one thing, and erasing leaves no old version.
WIDE = {
    ("ReportFunction", "s3:GetObject", "SiteBucket"),
    ("ReportFunction", "s3:PutObject", "SiteBucket"),
    ("EraseFunction", "s3:GetObject", "SiteBucket"),
    ("EraseFunction", "s3:PutObject", "SiteBucket"),
    ("EraseFunction", "s3:DeleteObjectVersion", "LakeBucket"),
    ("EraseFunction", "s3:DeleteObjectVersion", "SiteBucket"),
}


@pytest.fixture(scope="module")
def calls(cloud: World) -> dict[str, set[Call]]:
    """What each function called, and what Lambda did in its name."""
    found = made(cloud.stack, cloud.recorder, cloud.callers)
    for name, call in by_lambda(cloud.stack):
        found[name].add(call)
    return found


def test_every_call_is_allowed(cloud: World, calls: dict[str, set[Call]]) -> None:
    found = {name: missing(calls[name], allowed(cloud.stack, name)) for name in calls}
    assert not {name: told for name, told in found.items() if told}


def test_nothing_is_allowed_that_no_call_needs(cloud: World, calls: dict[str, set[Call]]) -> None:
    told = [
        f"{name}: {one.action} on {one.resource}"
        for name in calls
        for one in unused(calls[name], allowed(cloud.stack, name))
    ]
    assert not told, "\n".join(told)


def test_no_right_to_objects_is_of_a_whole_bucket(
    cloud: World, calls: dict[str, set[Call]]
) -> None:
    """One wide enough for everything would always be needed by something."""
    wide = {
        (name, one.action, one.resource.rpartition(":")[2])
        for name in calls
        for one in allowed(cloud.stack, name)
        if one.action.startswith("s3:") and "Object" in one.action
        and one.resource.partition("/")[2] == "*"
    }  # fmt: skip
    buckets = {cloud.stack.resources[name]: name for name in ("LakeBucket", "SiteBucket")}
    found = {(name, action, buckets[place.partition("/")[0]]) for name, action, place in wide}
    assert found == WIDE


def test_no_call_was_refused(cloud: World, calls: dict[str, set[Call]]) -> None:
    refused = [(one.method, one.path) for one in cloud.recorder.requests if one.status == 403]
    assert not refused


@pytest.mark.parametrize("machine", ["Collect", "Reporting"])
def test_a_machine_may_call_its_functions_and_no_others(cloud: World, machine: str) -> None:
    found = cloud.aws.client("stepfunctions").describe_state_machine(
        stateMachineArn=cloud.stack.resources[machine]
    )
    called = named_functions(json.loads(found["definition"]))
    role = found["roleArn"].rpartition("/")[2]
    # SAM writes a star behind the name, for the function's versions.
    may = {one.resource.rstrip("*") for one in of_role(cloud.stack, role)
           if one.action == "lambda:InvokeFunction"}  # fmt: skip
    assert called and called == may


def test_a_schedule_may_start_its_machine_and_nothing_else(cloud: World) -> None:
    for one in schedules(cloud.stack):
        role = one["Target"]["RoleArn"].rpartition("/")[2]
        may = {(each.action, each.resource) for each in of_role(cloud.stack, role)}
        dead = ("sqs:SendMessage", one["Target"]["DeadLetterConfig"]["Arn"])
        assert may == {("states:StartExecution", one["Target"]["Arn"]), dead}
