"""Storing goes on beside the reading: in order, one behind at most, and nothing after a failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from muster.pipeline.beside import Beside, after, in_turn
from muster.records import Page


def test_the_next_is_made_while_the_last_is_worked_on() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number == 0:
            begun.set()
            assert go_on.wait(10), "the second was not made meanwhile"
        return number * 10

    def given() -> Iterator[int]:
        yield 0
        assert begun.wait(10)
        go_on.set()
        yield from (1, 2)

    assert list(Beside(work).each(given())) == [0, 10, 20]


def test_no_more_than_one_waits_to_be_worked_on() -> None:
    done: list[int] = []

    def given() -> Iterator[int]:
        for number in range(6):
            assert number - len(done) <= 2, "one is worked on, one is being made"
            yield number

    list(Beside(done.append).each(given()))
    assert done == [0, 1, 2, 3, 4, 5]


def test_after_a_failure_nothing_more_is_worked_on() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 1:
            raise ValueError("no room")
        done.append(number)

    with pytest.raises(ValueError, match="no room"):
        list(Beside(work).each(range(9)))
    assert done == [0]


def test_what_was_given_before_the_giving_failed_is_done_and_told_first() -> None:
    def given() -> Iterator[int]:
        yield 7
        raise ValueError("the platform is away")

    told = Beside(lambda number: number).each(given())
    assert next(told) == 7
    with pytest.raises(ValueError, match="away"):
        next(told)


def test_a_giver_who_waits_hears_of_the_failure_and_can_give_nothing_more() -> None:
    done: list[str] = []

    def work(one: str) -> None:
        done.append(one)
        if one == "first":
            raise ValueError("no room")

    beside = Beside(work)

    def given() -> Iterator[str]:
        yield "first"
        try:
            beside.settle()
        except ValueError:
            yield "what was read before the trouble"

    with pytest.raises(ValueError, match="no room"):
        list(beside.each(given()))
    assert done == ["first"]


PAGE = Page(())


@pytest.mark.parametrize(
    ("page", "is_metered"), [(Page((), is_last_copy=True), False), (PAGE, True)]
)
def test_where_it_is_safer_the_next_page_is_asked_for_once_the_last_is_stored(
    page: Page, is_metered: bool
) -> None:
    told: list[str] = []

    def pages() -> Iterator[Page]:
        for _ in range(2):
            told.append("asked")
            yield page

    for _ in in_turn(pages(), is_metered, lambda: told.append("stored")):
        told.append("used")
    assert told == ["asked", "used", "stored"] * 2


def test_what_the_lake_holds_is_looked_up_after_storing() -> None:
    told: list[object] = []

    def found() -> Iterator[int]:
        for number in (1, 2):
            told.append(number)
            yield number

    assert list(after(lambda: told.append("settled"), found())) == [1, 2]
    assert told == ["settled", 1, "settled", 2, "settled"]
