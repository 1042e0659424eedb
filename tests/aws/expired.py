"""What has stayed for as long as the settings keep it → gone with the next fetch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from passage import keys
from world import World

from muster.records import KEPT, KEPT_SINCE

KEEP = "    keep: {messages: 20w, raw: 30d, quarantine: 30d}\n"
OLD = (
    "raw/source=x/date=2026-01-05/old-000000.jsonl.zst",
    "quarantine/source=x/date=2026-01-05/old-000000.0000000000000000.1.jsonl.zst",
)
MESSAGES = "tables/messages/source=x/month="


def invoke(cloud: World, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """What a function answers."""
    name = cloud.stack.resources[function]
    told = json.dumps(event).encode()
    answer = cloud.aws.client("lambda").invoke(FunctionName=name, Payload=told)
    found: dict[str, Any] = json.load(answer["Payload"])
    return found


@pytest.fixture(scope="module")
def before(cloud: World) -> Iterator[set[str]]:
    """The lake's keys before a fetch by settings that keep less."""
    bucket = cloud.stack.resources["LakeBucket"]
    for key in OLD:
        cloud.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    assert "errorType" not in invoke(cloud, "MeasureFunction", {})
    there = set(keys(cloud.stack, "LakeBucket"))
    cloud.put_settings(cloud.settings.replace("  - name: x\n", f"  - name: x\n{KEEP}", 1))
    assert "errorType" not in invoke(cloud, "FetchFunction", {"source": "x", "turn": 1})
    yield there
    cloud.put_settings(cloud.settings)


def test_whole_months_and_days_are_gone_and_later_ones_stay(cloud: World, before: set[str]) -> None:
    after = set(keys(cloud.stack, "LakeBucket"))
    first = f"{datetime.now(UTC) - timedelta(weeks=20):%Y-%m}"
    months = {key for key in before if key.startswith(MESSAGES)}
    over = {key for key in months if key.removeprefix(MESSAGES)[:7] < first}
    assert over and not after & {*over, *OLD}
    assert months - over <= after


def test_the_next_measuring_counts_from_scratch(cloud: World, before: set[str]) -> None:
    assert len([key for key in before if key.startswith(KEPT)]) > 1
    found = [key for key in keys(cloud.stack, "LakeBucket") if key.startswith(KEPT)]
    assert found == [KEPT_SINCE]
