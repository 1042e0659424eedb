"""A state machine's definition → what Step Functions would refuse in it, or never do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# What Step Functions and Lambda name themselves; any other name is a Python error's.
OF_AWS = re.compile(r"(States|Lambda|StepFunctions|SQS|Sns|S3)\.\w+")
ENDS = {"Succeed", "Fail"}
Steps = dict[str, dict[str, Any]]


def wrong_machine(machine: dict[str, Any], errors: set[str]) -> Iterator[str]:
    """What is wrong, a line each; ``errors`` are the Python errors that functions may raise."""
    steps: Steps = machine["States"]
    for name, step in steps.items():
        yield from (f"{name}: no step {to!r}" for to in _next(step) if to not in steps)
        if step["Type"] not in ENDS | {"Choice"} and ("Next" in step) == bool(step.get("End")):
            yield f"{name}: needs Next or End, and one of them"
        if step["Type"] == "Choice" and "Default" not in step:
            yield f"{name}: without Default it fails when nothing matches"
        yield from (f"{name}: {said}" for said in _wrong_names(step, errors))
        for inner in (step.get("ItemProcessor"), *step.get("Branches", ())):
            if inner:
                yield from (f"{name}: {said}" for said in wrong_machine(inner, errors))
    if machine["StartAt"] not in steps:
        yield f"no step {machine['StartAt']!r} to start at"
    yield from (f"{name}: nothing leads there" for name in sorted(_unreached(machine)))


def _next(step: dict[str, Any]) -> Iterator[str]:
    for one in (step, *step.get("Choices", ()), *step.get("Catch", ())):
        yield from (one[key] for key in ("Next", "Default") if key in one)


def _unreached(machine: dict[str, Any]) -> set[str]:
    steps, left, reached = machine["States"], [machine["StartAt"]], set[str]()
    while left:
        name = left.pop()
        if name in steps and name not in reached:
            reached.add(name)
            left += _next(steps[name])
    return set(steps) - reached


def _wrong_names(step: dict[str, Any], errors: set[str]) -> Iterator[str]:
    """Errors that are retried or caught and that nobody raises."""
    for kind in ("Retry", "Catch"):
        for one in step.get(kind, ()):
            for error in one["ErrorEquals"]:
                if not OF_AWS.fullmatch(error) and error not in errors:
                    yield f"{kind} of {error!r}, which no function raises"


def expressions(value: Any) -> Iterator[str]:
    """Every JSONata expression of a definition."""
    if isinstance(value, str):
        found = re.fullmatch(r"\{%\s*(.*?)\s*%\}", value, re.DOTALL)
        if found:
            yield found[1]
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from expressions(one)


def named_functions(value: Any) -> set[str]:
    """The ARN of every function that a definition calls."""
    if isinstance(value, list):
        return {name for one in value for name in named_functions(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["FunctionName"]} if "FunctionName" in value else set()
    return own | {name for one in value.values() for name in named_functions(one)}
