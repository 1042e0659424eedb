"""Storing goes on beside the reading: in order, one behind at most, and nothing after a failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from muster.pipeline.batches import SOME_ITEMS
from muster.pipeline.beside import Beside, Meanwhile, after
from muster.records import Item, Page


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

    given = Meanwhile(str).each(pages(), is_metered, lambda: told.append("stored"))
    for _ in given:
        told.append("used")
    assert told == ["asked", "used", "stored"] * 2


def some_items(*bodies: int) -> Page:
    return Page(tuple(Item("post", body, datetime(2026, 11, 1, tzinfo=UTC)) for body in bodies))


def test_a_page_is_worked_on_while_the_next_is_awaited() -> None:
    told: list[object] = []
    meanwhile = Meanwhile(lambda item: told.append(item.body))

    def pages() -> Iterator[Page]:
        for number in range(3):
            meanwhile.use()  # as the connection does, again and again
            told.append("answer")
            meanwhile.use()
            yield some_items(number, number + 10)

    sizes = [len(list(found)) for _, found in meanwhile.each(pages(), False, lambda: None)]
    assert told == ["answer", 0, 10, "answer", 1, 11, "answer", 2, 12]
    assert sizes == [2, 2, 2]


def test_of_a_long_page_only_some_is_worked_on_ahead() -> None:
    done: list[int] = []
    meanwhile = Meanwhile(lambda item: done.append(item.body) or item.body)

    def pages() -> Iterator[Page]:
        yield some_items(*range(2 * SOME_ITEMS))
        meanwhile.use()
        meanwhile.use()
        assert len(done) == SOME_ITEMS
        yield some_items()

    (_, found), (_, rest) = meanwhile.each(pages(), False, lambda: None)
    assert [*found, *rest] == list(range(2 * SOME_ITEMS)) == done


@pytest.mark.parametrize("is_used", [True, False])
def test_what_the_work_raises_is_told_at_its_own_item_and_not_to_the_platform(
    is_used: bool,
) -> None:
    def work(item: Item) -> float:
        return 6 / item.body

    meanwhile = Meanwhile(work)

    def pages() -> Iterator[Page]:
        yield some_items(1, 2, 0, 3)
        if is_used:
            meanwhile.use()
        yield some_items(6)

    made: list[float] = []
    with pytest.raises(ZeroDivisionError):
        for _, found in meanwhile.each(pages(), False, lambda: None):
            made.extend(found)
    assert made == [6, 3]


def test_the_last_page_before_the_platform_failed_is_worked_on() -> None:
    def pages() -> Iterator[Page]:
        yield some_items(1, 2)
        raise ValueError("the platform is away")

    made: list[int] = []
    with pytest.raises(ValueError, match="away"):
        for _, found in Meanwhile(lambda item: item.body).each(pages(), False, lambda: None):
            made.extend(found)
    assert made == [1, 2]


def test_what_the_lake_holds_is_looked_up_after_storing() -> None:
    told: list[object] = []

    def found() -> Iterator[int]:
        for number in (1, 2):
            told.append(number)
            yield number

    assert list(after(lambda: told.append("settled"), found())) == [1, 2]
    assert told == ["settled", 1, "settled", 2, "settled"]
