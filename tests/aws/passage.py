"""A deployed stack and running platforms → settings, secrets, and the schedules' work done."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stack import Stack

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
PATIENCE = 600.0


@dataclass(frozen=True)
class Ended:
    """How an execution of a state machine ended."""

    name: str
    arn: str
    status: str
    started: datetime
    output: Any
    error: str
    cause: str


def put_settings(stack: Stack, text: str, tokens: Mapping[str, str]) -> None:
    """Lay the settings into the lake, and each token where the functions may read it."""
    ssm = stack.aws.client("ssm")
    for name, value in tokens.items():
        path = f"/{stack.name}/{name}"
        ssm.put_parameter(Name=path, Value=value, Type="SecureString", Overwrite=True)
        text = text.replace(f"env:{name}", f"ssm:{path}")
    bucket = stack.resources["LakeBucket"]
    stack.aws.client("s3").put_object(
        Bucket=bucket, Key="config/muster.yaml", Body=text.encode("utf-8")
    )


def fire(stack: Stack, schedule: Mapping[str, Any]) -> Ended:
    """Let a schedule of the stack fire once, soon, and wait until its work has ended."""
    arn = schedule["Target"]["Arn"]
    before = {one["executionArn"] for one in _executions(stack, arn)}
    once(stack, schedule)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        new = [one for one in _executions(stack, arn) if one["executionArn"] not in before]
        if new and all(one["status"] in ENDED for one in new):
            (only,) = new
            return ended(stack, only["executionArn"])
        time.sleep(0.5)
    raise TimeoutError(f"{schedule['Name']} did not end within {PATIENCE:.0f} s")


def start(stack: Stack, machine: str, event: Mapping[str, Any]) -> Ended:
    """Start a state machine by hand and wait until it has ended."""
    begun = stack.aws.client("stepfunctions").start_execution(
        stateMachineArn=stack.resources[machine], input=json.dumps(event)
    )
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = ended(stack, begun["executionArn"])
        if found.status in ENDED:
            return found
        time.sleep(0.3)
    raise TimeoutError(f"{machine} did not end within {PATIENCE:.0f} s")


def schedules(stack: Stack) -> Iterator[dict[str, Any]]:
    """Every schedule that starts something of the stack, in whichever group it is."""
    scheduler = stack.aws.client("scheduler")
    known = set(stack.resources.values())
    for page in scheduler.get_paginator("list_schedules").paginate():
        for one in page["Schedules"]:
            found = scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"])
            if found["Target"]["Arn"] in known:
                yield found


def once(stack: Stack, schedule: Mapping[str, Any], instead: str = "") -> None:
    """A schedule as the stack's own, target and all, but due in a moment.

    ``instead`` is called instead of the state machine, if that is to fail.
    """
    at = datetime.now(UTC) + timedelta(seconds=2)
    target = schedule["Target"]
    stack.aws.client("scheduler").create_schedule(
        Name=f"once-{time.time_ns()}",
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={**target, "Arn": instead or target["Arn"]},
        ActionAfterCompletion="DELETE",
    )


def drop(stack: Stack, files: Mapping[str, Path]) -> None:
    """Lay files into the lake's inbox, each under its key, and wait for their receipts."""
    s3, bucket = stack.aws.client("s3"), stack.resources["LakeBucket"]
    for key, path in files.items():
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    wanted = {f"receipts/{key.removeprefix('inbox/')}.json" for key in files}
    end = time.monotonic() + PATIENCE
    while not wanted <= set(keys(stack, "LakeBucket", "receipts/")):
        if time.monotonic() > end:
            raise TimeoutError(f"nothing was taken from the inbox of {bucket}")
        time.sleep(0.5)


def _executions(stack: Stack, arn: str) -> list[dict[str, Any]]:
    found = stack.aws.client("stepfunctions").list_executions(stateMachineArn=arn)
    return list(found["executions"])


def ended(stack: Stack, arn: str) -> Ended:
    """What Step Functions says of an execution."""
    found = stack.aws.client("stepfunctions").describe_execution(executionArn=arn)
    return Ended(
        name=found["name"],
        arn=arn,
        status=found["status"],
        started=found["startDate"],
        output=json.loads(found.get("output") or "null"),
        error=found.get("error", ""),
        cause=found.get("cause", ""),
    )


def history(stack: Stack, arn: str) -> list[dict[str, Any]]:
    """Every event of an execution, in order."""
    pages = stack.aws.client("stepfunctions").get_paginator("get_execution_history")
    return [one for page in pages.paginate(executionArn=arn) for one in page["events"]]


def keys(stack: Stack, bucket: str, prefix: str = "") -> dict[str, str]:
    """The ETag of every object of a bucket (its name in the template), by its key."""
    pages = stack.aws.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=stack.resources[bucket], Prefix=prefix)
    return {one["Key"]: one["ETag"] for page in found for one in page.get("Contents", ())}


def download(stack: Stack, bucket: str, folder: Path) -> None:
    """A bucket as a folder."""
    s3 = stack.aws.client("s3")
    for key in keys(stack, bucket):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        answer = s3.get_object(Bucket=stack.resources[bucket], Key=key)
        path.write_bytes(answer["Body"].read())


def glue_tables(stack: Stack) -> dict[str, dict[str, Any]]:
    """Every table that Athena would see, by its name."""
    glue, found = stack.aws.client("glue"), {}
    for base in stack.of_type("AWS::Glue::Database").values():
        for page in glue.get_paginator("get_tables").paginate(DatabaseName=base):
            found |= {one["Name"]: one for one in page["TableList"]}
    return found


def log_lines(stack: Stack, function: str) -> list[dict[str, Any]]:
    """What a function logged as JSON, oldest first."""
    logs, name = stack.aws.client("logs"), stack.resources[function]
    found = stack.aws.client("lambda").get_function_configuration(FunctionName=name)
    group = found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    texts = [line for page in pages for event in page["events"]
             for line in event["message"].splitlines()]  # fmt: skip
    return [json.loads(text) for text in texts if re.match(r"\s*\{", text)]
