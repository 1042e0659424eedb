"""A stack's roles as deployed, beside what its functions called: missing, unused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calls import Call, calls
from recorder import Recorder
from stack import Stack

# What Lambda itself does for a function, outside of the function's own requests.
BY_LAMBDA = {
    "AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess",
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Allowance:
    """One pair of patterns that a role allows."""

    action: str
    resource: str

    def covers(self, call: Call) -> bool:
        """Whether the call is one of those."""
        return _like(self.action.lower(), call.action.lower()) and (
            self.resource == "*" or _like(self.resource, call.resource)
        )


def _like(pattern: str, text: str) -> bool:
    plain = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(plain, text, re.DOTALL) is not None


def made(stack: Stack, recorder: Recorder, callers: Path) -> dict[str, set[Call]]:
    """What each function (by its name in the template) called."""
    names = {physical: name for name, physical in stack.of_type("AWS::Lambda::Function").items()}
    lines = [line.split() for line in callers.read_text("utf-8").splitlines()]
    by_key = {key: names[function] for key, function in lines if function in names}
    found: dict[str, set[Call]] = {name: set() for name in names.values()}
    for request in recorder.requests:
        if request.key in by_key:  # the rest is the command line's
            found[by_key[request.key]].update(calls(request))
    return found


def by_lambda(stack: Stack) -> Iterator[tuple[str, Call]]:
    """What Lambda did in the name of functions whose call failed: their messages in the queue."""
    sqs, queue = stack.aws.client("sqs"), stack.resources["MissedCalls"]
    names = {physical: name for name, physical in stack.of_type("AWS::Lambda::Function").items()}
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    while found := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=120
    ).get("Messages"):
        for one in found:
            function = json.loads(one["Body"])["requestContext"]["functionArn"]
            physical = function.partition(":function:")[2].partition(":")[0]
            yield names[physical], Call("sqs:SendMessage", arn["QueueArn"])


def allowed(stack: Stack, function: str) -> set[Allowance]:
    """What the role of a function allows, as it was deployed."""
    found = stack.aws.client("lambda").get_function_configuration(
        FunctionName=stack.resources[function]
    )
    return set(of_role(stack, found["Role"].rpartition("/")[2]))


def of_role(stack: Stack, role: str) -> Iterator[Allowance]:
    """Every allowance of a role's own policies; ``ValueError`` if somebody else's is attached."""
    iam = stack.aws.client("iam")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    foreign = {one["PolicyName"] for one in attached} - BY_LAMBDA
    if foreign:
        raise ValueError(f"{role}: {', '.join(foreign)} allow more than anybody wrote down here")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from _allowances(document["Statement"])


def _allowances(statements: Any) -> Iterator[Allowance]:
    for one in _listed(statements):
        if one["Effect"] == "Allow":
            for action in _listed(one["Action"]):
                for resource in _listed(one["Resource"]):
                    yield Allowance(action, resource)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def missing(made: Iterable[Call], allowed: Iterable[Allowance]) -> list[Call]:
    """Calls that no allowance covers."""
    there = list(allowed)
    return sorted(call for call in made if not any(one.covers(call) for one in there))


def unused(made: Iterable[Call], allowed: Iterable[Allowance]) -> list[Allowance]:
    """Allowances that no call needed."""
    done = list(made)
    return sorted(one for one in allowed if not any(one.covers(call) for call in done))
