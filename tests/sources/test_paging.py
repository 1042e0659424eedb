"""The page loop: where it ends, and where it goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from muster.errors import Unavailable
from muster.sources._answer import Answer
from muster.sources._paging import Step, walk

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def pages_of(
    *pages: tuple[list[int], str | None], **options: Any
) -> tuple[list[Step[str]], list[Any]]:
    table = dict(zip([None, *(f"t{n}" for n in range(1, len(pages)))], pages, strict=False))
    asked: list[Any] = []

    def ask(token: str | None) -> Answer:
        asked.append(token)
        return Answer(table[token], 200, {}, NOW)

    return list(walk(ask, lambda answer: answer.body, **options)), asked


def test_walks_to_the_last_page_and_tells_where_to_go_on() -> None:
    steps, asked = pages_of(([1], "t1"), ([2], "t2"), ([3], None))
    assert [(list(step.items), step.token) for step in steps] == [
        ([1], "t1"), ([2], "t2"), ([3], None),
    ]  # fmt: skip
    resumed, _ = pages_of(([1], "t1"), ([2], "t2"), ([3], None), start="t1")
    assert [list(step.items) for step in resumed] == [[2], [3]]
    assert asked == [None, "t1", "t2"]


def test_stops_where_a_token_comes_back() -> None:
    steps, asked = pages_of(([1], "t1"), ([2], "t1"))
    assert asked == [None, "t1"]
    assert steps[-1].token is None


def test_stops_at_a_page_of_old_items_only() -> None:
    steps, asked = pages_of(
        ([9, 1], "t1"), ([1, 0], "t2"), ([8], None), is_old=lambda item: item < 5
    )
    assert asked == [None, "t1"]
    assert steps[-1].token is None


def test_an_empty_page_is_not_the_end() -> None:
    steps, _ = pages_of(([1], "t1"), ([], "t2"), ([3], None), is_old=lambda item: False)
    assert [list(step.items) for step in steps] == [[1], [], [3]]


def test_a_server_that_ignores_the_page_is_left() -> None:
    counted = iter(range(1000))
    steps = list(walk(lambda page: Answer([7], 200, {}, NOW), lambda a: (a.body, next(counted))))
    assert [list(step.items) for step in steps if step.items] == [[7]]
    assert steps[-1].token is None
    assert next(counted) == 3


def test_an_endless_walk_is_given_up_and_can_go_on() -> None:
    counted = iter(range(1000))
    steps = []
    with pytest.raises(Unavailable, match="run again"):
        for step in walk(
            lambda page: Answer([page], 200, {}, NOW),
            lambda answer: (answer.body, next(counted)),
            max_pages=5,
        ):
            steps.append(step)
    assert (len(steps), steps[-1].token) == (5, 4)
