"""The platform that docs/adding-a-platform.md writes is one: its code runs, on its recording."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from recorded import Recorded, items_of, last_cursor

GUIDE = Path(__file__).parents[2] / "docs" / "adding-a-platform.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def campfire() -> Recorded:
    """The guide's file and recording, as if they lay where it says."""
    module: Any = ModuleType("campfire")
    exec(blocks("python")[0], module.__dict__)
    module.Options.model_rebuild(_types_namespace=module.__dict__)
    one = Recorded("campfire")
    one.__dict__.update(platform=module, told=json.loads(blocks("json")[0]))
    return one


def test_it_brings_the_rows_that_its_recording_promises(campfire: Recorded) -> None:
    rows, refused = campfire.rows(items_of(campfire.pages(campfire.wire())))
    assert not refused and len(rows) == campfire.told["expect"]["messages"]
    found = [rows["messages", number] for number in "123"]
    assert [one["text"] for one in found] == [
        "The projector is dark.", "Restart it, please.", "Thanks!",
    ]  # fmt: skip
    assert [one["author_role"] for one in found] == ["member", "staff", "member"]
    assert [one["edited_at"] is not None for one in found] == [False, True, False]


def test_what_is_older_than_the_window_is_left_alone(campfire: Recorded) -> None:
    wire = campfire.wire()
    late = replace(campfire.window({}), since=campfire.now)
    found = items_of(campfire.platform.pages(campfire.api(wire), late))
    assert (found, len(wire.asked)) == ([], 1)


def test_its_second_fetch_changes_nothing_and_its_check_says_what_is_read(
    campfire: Recorded,
) -> None:
    first = list(campfire.pages(campfire.wire()))
    cursor = last_cursor(first)
    again = list(campfire.pages(campfire.wire(), cursor=cursor))
    assert campfire.rows(items_of(again))[0].keys() <= campfire.rows(items_of(first))[0].keys()
    assert last_cursor(again)["streams"] == cursor["streams"]
    said = campfire.platform.check(campfire.api(campfire.wire()), campfire.options)
    assert said == "reads Campfire's room Lounge"
