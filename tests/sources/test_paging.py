"""The page loop: where it ends, and where it goes on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from recorded import Recorded, items_of, last_cursor

from muster.errors import Rejected, Unavailable
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


def test_a_place_that_was_forgotten_costs_a_new_start_and_a_refusal_of_all_is_one() -> None:
    asked: list[Any] = []
    pages = {None: ([1], "new"), "new": ([2], "old"), "old": ([3], None)}

    def ask(token: str | None, status: int) -> Answer:
        asked.append(token)
        if asked == ["old"] or status == 403:
            raise Rejected("bad cursor", status)
        return Answer(pages[token], 200, {}, NOW)

    steps = walk(lambda token: ask(token, 400), lambda answer: answer.body, start="old")
    assert [list(step.items) for step in steps] == [[1], [2], [3]]
    asked.clear()
    with pytest.raises(Rejected):
        next(walk(lambda token: ask(token, 403), lambda answer: answer.body, start="old"))
    assert asked == ["old"]


@pytest.mark.parametrize("name", ["typeform", "zendesk", "shopify", "youtube"])
def test_a_cursor_whose_place_was_forgotten_is_no_fault_for_ever(name: str) -> None:
    """Each stop is gone on from by a platform that takes no place before it gave one anew."""
    one = Recorded(name)
    pages = list(one.pages(one.wire()))
    whole = one.rows(items_of(pages))[0]
    for stop in range(len(pages) - 1):
        given: set[str] = set()

        def forgotten(number: int, request: httpx.Request, answer: Any, given: Any = given) -> Any:
            told = json.loads(request.read()).get("variables", {}) if name == "shopify" else {}
            is_place = {"after", "cursor", "page[after]", "pageToken"} & {
                *request.url.params
            } or told.get("after")
            if is_place and request.url.path not in given:
                status = 200 if name == "shopify" else 400  # GraphQL refuses so
                return httpx.Response(status, json={"errors": [{"message": "invalid cursor"}]})
            given.add(request.url.path)
            return answer(request)

        before = pages[: stop + 1]
        after = list(one.pages(one.wire(forgotten), last_cursor(before)))
        assert one.rows(items_of(before) + items_of(after))[0] == whole, stop


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
