"""A look at the columns of many rows never lets pass what a look at each row would refuse."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observations import at, deletion, message
from test_cells import SPEND, STRANGE
from thorough import tries

from muster.errors import Refused
from muster.lake import fitting
from muster.lake.cells import accept
from muster.lake.gathered import gathered
from muster.records import (
    Audience,
    Deletion,
    Figure,
    Member,
    Message,
    Order,
    Review,
    Row,
    Thread,
)

_DAY = at(1).date()
_GOOD: list[Row | Deletion] = [
    message(1), deletion(1, at(2)), Member(member_id="a"), SPEND,
    Thread(thread_id="t", created_at=at(1), tags=("x",)),
    Audience(account="us", metric="followers", measured_on=_DAY, value=3),
    Review(review_id="r", rating=3.5, rating_max=5.0, created_at=at(1)),
    Figure(name="profit", date=_DAY, value=1.0, unit="EUR"),
    Order(order_id="o", customer_id="c", created_at=at(1), revenue=SPEND.spend, currency="EUR"),
]  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> list[Row | Deletion]:
    """Good rows, and a few with a strange value somewhere."""
    found: list[Any] = draw(st.lists(st.sampled_from(_GOOD), max_size=6))
    for at_ in draw(st.lists(st.integers(0, len(found) - 1), max_size=2)) if found else ():
        name = draw(st.sampled_from([field.name for field in fields(found[at_])]))
        found[at_] = replace(found[at_], **{name: draw(st.sampled_from(STRANGE))})
    return found


def do_fit(found: list[Row | Deletion]) -> bool:
    return all(map(fitting.do_fit, gathered((row, at(1)) for row in found)))


def are_accepted(found: list[Row | Deletion]) -> bool:
    try:
        for row in found:
            accept(row)
    except Refused:
        return False
    return True


@settings(max_examples=tries(400, 20_000), deadline=None)
@given(rows())
def test_what_fits_would_be_accepted(found: list[Row | Deletion]) -> None:
    assert are_accepted(found) or not do_fit(found)


def test_what_most_fetches_bring_fits_at_a_look() -> None:
    assert do_fit([one for one in _GOOD if isinstance(one, Message | Member | Thread | Review)])


@pytest.mark.parametrize("value", STRANGE)
def test_one_strange_value_among_many_rows_is_not_overlooked(value: Any) -> None:
    many: list[Any] = [message(number) for number in range(3)]
    for field in fields(many[0]):
        strange = [*many, replace(message(7), **{field.name: value})]
        assert are_accepted(strange) or not do_fit(strange), field.name


def test_two_halves_of_a_character_in_two_rows_are_no_whole_one() -> None:
    halves = [message(1, text="\ud83d"), message(2, text="\ude00")]
    assert not do_fit([message(3), *halves])
    assert do_fit([])
    assert do_fit([message(1, created_at=datetime(2026, 1, 1, tzinfo=UTC))])
