"""A run in which much goes wrong at once: each is told, costs only itself, and is gone on with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lakes import keys_of
from passage import Ended, download, history, start
from recorder import Request
from world import World

GONE = "  - {name: gone, platform: discourse, base_url: 'http://127.0.0.1:9/secret'}\n"
# What EventBridge or a person calls without waiting: Lambda itself keeps a call that fails.
NOBODY_WAITS = ("EraseFunction", "InboxFunction")
ODD = b"<Error><Code>InvalidRequest</Code><Message>for once</Message></Error>"


@dataclass(frozen=True)
class Trouble:
    """How the run ended, its history, and the key that was refused once."""

    ended: Ended
    events: list[dict[str, Any]]
    refused: list[str]

    @property
    def turns(self) -> list[dict[str, Any]]:
        """What each turn of a fetch answered; only ``again`` answers at all."""
        told = [json.loads(one["taskSucceededEventDetails"]["output"])["Payload"]
                for one in self.events if one["type"] == "TaskSucceeded"]  # fmt: skip
        return [one for one in told if "done" in one]


@pytest.fixture(scope="module")
def trouble(cloud: World) -> Iterator[Trouble]:
    """A source that nobody answers for, a forum read in turns of 20 s, and an S3 that once errs."""
    forum = cloud.settings.partition("  - name: forum\n")[2].partition("  - name:")[0]
    more = f"sources:\n{GONE}  - name: again\n{forum}"
    cloud.put_settings(cloud.settings.replace("sources:\n", more, 1))
    refused: list[str] = []

    def refuse(request: Request) -> tuple[int, bytes] | None:
        if refused or request.method != "GET" or not request.path.endswith("/muster.yaml"):
            return None
        refused.append(request.key)
        return 400, ODD

    cloud.recorder.refuse = refuse
    with time_limit(cloud, "FetchFunction", 20):
        ended = start(cloud.stack, "Collect", {})
    yield Trouble(ended, history(cloud.stack, ended.arn), refused)
    cloud.put_settings(cloud.settings)


class time_limit:  # noqa: N801
    """A function that may run so many seconds, and again as many as before."""

    def __init__(self, cloud: World, name: str, seconds: int) -> None:
        self.client, self.seconds = cloud.aws.client("lambda"), seconds
        self.function = cloud.stack.resources[name]

    def __enter__(self) -> None:
        found = self.client.get_function_configuration(FunctionName=self.function)
        self.before = found["Timeout"]
        self._put(self.seconds)

    def __exit__(self, *_: object) -> None:
        self._put(self.before)

    def _put(self, seconds: int) -> None:
        self.client.update_function_configuration(FunctionName=self.function, Timeout=seconds)


def test_a_source_that_fails_is_named_by_its_python_error(trouble: Trouble) -> None:
    assert (trouble.ended.status, trouble.ended.error) == ("FAILED", "SomeSourcesFailed")
    assert trouble.ended.cause == "Fetched all but: gone (SourceFailed)"


def test_a_call_that_may_work_later_is_tried_again(trouble: Trouble) -> None:
    errors = [one["taskFailedEventDetails"]["error"] for one in trouble.events
              if one["type"] == "TaskFailed"]  # fmt: skip
    assert len(trouble.refused) == 1
    assert errors[0] == "Unavailable"
    assert trouble.turns, "the retried plan named what is due"


def test_a_fetch_that_is_told_20_seconds_are_left_is_gone_on_with(
    cloud: World, trouble: Trouble, tmp_path: Path
) -> None:
    turns = trouble.turns
    assert [one["done"] for one in turns] == [False] * (len(turns) - 1) + [True]
    assert len(turns) > 1
    download(cloud.stack, "LakeBucket", tmp_path)
    found = keys_of(tmp_path, "messages")
    again = [key[1:] for key in found if key[0] == "again"]
    assert again and again == [key[1:] for key in found if key[0] == "forum"]


def test_a_call_that_nobody_waits_for_is_kept_when_it_fails(cloud: World) -> None:
    """An erasure that names no member, a file that is none: they fail each time they are tried."""
    for name in NOBODY_WAITS:
        cloud.aws.client("lambda").invoke(
            FunctionName=cloud.stack.resources[name], InvocationType="Event", Payload=b"{}"
        )
    sqs, queue = cloud.aws.client("sqs"), cloud.stack.resources["MissedCalls"]
    end, kept = time.monotonic() + 300, set[tuple[str, str]]()
    while time.monotonic() < end and len(kept) < len(NOBODY_WAITS):
        for one in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2, VisibilityTimeout=1).get(
            "Messages", ()
        ):
            told = json.loads(one["Body"])
            function = told["requestContext"]["functionArn"].partition(":function:")[2]
            kept.add((function.partition(":")[0], told["responsePayload"]["errorType"]))
    assert kept == {(cloud.stack.resources[name], "KeyError") for name in NOBODY_WAITS}
