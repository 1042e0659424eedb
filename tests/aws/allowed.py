"""What each role allows, beside what its function called in the runs before: no more, no less."""

from __future__ import annotations

import json
from typing import Any

import pytest
from machines import named_functions
from passage import schedules
from roles import Allowance, allowed, made, missing, of_role, unused
from world import World

from muster.sending import leaving

# What no run here needs: function, action, end of the resource, and why it is allowed all the same.
NOT_EXERCISED = {
    ("EraseFunction", "s3:PutObject", "/*"): "pages of the site that name the member",
    ("EraseFunction", "s3:DeleteObject", "/*"): "the same",
    ("EraseFunction", "sqs:SendMessage", ""): "Lambda itself keeps a call that failed",
    ("FetchFunction", "comprehend:BatchDetectSentiment", "*"): "only with sentiment: comprehend",
    ("FetchFunction", "s3:PutObject", "/quarantine/*"): "the demo sends nothing that is refused",
    ("InboxFunction", "s3:PutObject", "/outbox/returned/*"): "no mail comes back here",
    ("InboxFunction", "s3:PutObject", "/people/*"): "shares fetch's policy; could be narrower",
    ("InboxFunction", "s3:PutObject", "/raw/*"): "shares fetch's policy; could be narrower",
    ("InboxFunction", "s3:PutObject", "/quarantine/*"): "the demo's files hold nothing refused",
    ("InboxFunction", "sqs:SendMessage", ""): "Lambda itself keeps a call that failed",
    ("ReportFunction", "s3:DeleteObject", "/outbox/*"): "a mail that was surely not sent",
    ("ReportFunction", "s3:ListBucket", ""): "without it, what is not there reads as forbidden",
    ("ReportFunction", "ses:SendRawEmail", ""): "AWS asks for it when a mail is handed over whole",
    ("PlanFunction", "scheduler:DeleteSchedule", "/*"): "a report that left the settings",
}


@pytest.fixture(scope="module")
def calls(cloud: World) -> dict[str, set[Any]]:
    """What each function called, the last ones too: a reader leaves, a member is forgotten."""
    _leave(cloud)
    answer = cloud.aws.client("lambda").invoke(
        FunctionName=cloud.stack.resources["EraseFunction"],
        Payload=json.dumps({"source": "forum", "member": "7"}).encode(),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
    return made(cloud.stack, cloud.recorder, cloud.callers)


def _leave(cloud: World) -> None:
    """A reader's click, as the function URL hands it over."""
    name = f"/{cloud.stack.name}/unsubscribe"
    kept = cloud.aws.client("ssm").get_parameter(Name=name, WithDecryption=True)
    token = leaving.token(kept["Parameter"]["Value"], "weekly", "left@example.org")
    http = {"requestContext": {"http": {"method": "POST"}}, "queryStringParameters": {"u": token}}
    answer = cloud.aws.client("lambda").invoke(
        FunctionName=cloud.stack.resources["UnsubscribeFunction"],
        Payload=json.dumps(http).encode(),
    )
    assert json.load(answer["Payload"])["statusCode"] == 200


def test_every_call_is_allowed(cloud: World, calls: dict[str, set[Any]]) -> None:
    found = {name: missing(calls[name], allowed(cloud.stack, name)) for name in calls}
    assert not {name: told for name, told in found.items() if told}


def test_nothing_is_allowed_that_no_call_needs(cloud: World, calls: dict[str, set[Any]]) -> None:
    told = [
        f"{name}: {one.action} on {one.resource}"
        for name in calls
        for one in unused(calls[name], allowed(cloud.stack, name))
        if not _is_known(name, one)
    ]
    assert not told, "\n".join(told)


def _is_known(function: str, one: Allowance) -> bool:
    return any(
        (function, one.action) == (name, action) and one.resource.endswith(end)
        for name, action, end in NOT_EXERCISED
    )


def test_no_call_was_refused(cloud: World) -> None:
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
