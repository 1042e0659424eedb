"""What the lake can store as it is, and what is refused with its column named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from observations import at, deletion, message, seen

from muster.errors import Refused
from muster.lake.cells import _accept_cell, _checks, accept, allowed, cells, month
from muster.records import TABLES, AdSpend, Audience, Member, Review

SPEND = AdSpend(campaign_id="c", date=date(2026, 1, 1), currency="EUR", spend=Decimal("1.5"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("message_id", 7),
        ("message_id", ""),
        ("thread_id", None),
        ("text", "half of an emoji \ud83d"),
        ("text", b"bytes"),
        ("tags", "a;b"),
        ("tags", ("a", None)),
        ("tags", ("\udc00",)),
        ("created_at", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("created_at", "2026-01-01"),
        ("created_at", datetime(1, 1, 1, tzinfo=UTC)),
        ("likes", True),
        ("likes", 2.5),
        ("likes", 2**63),
        ("is_solution", 1),
        ("sentiment", float("nan")),
        ("sentiment", float("inf")),
        ("author_role", "admin"),
        ("direction", "sideways"),
    ],
)
def test_a_cell_that_does_not_fit_is_refused_by_name(column: str, value: Any) -> None:
    with pytest.raises(Refused, match=column):
        accept(replace(message(1), **{column: value}))


STRANGE = (
    None, "", "a", "ä", "\ud83d", "staff", 0, -1, 2**63, True, 0.5, float("nan"), Decimal(2),
    Decimal("NaN"), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1),
    datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))),
    (), ("a",), (1,), [], b"a",
)  # fmt: skip


@pytest.mark.parametrize("kind", [table.row for table in TABLES.values()])
def test_a_quick_look_lets_pass_what_a_close_one_does(kind: type) -> None:
    for _, plain, fits, column in _checks(kind):
        for value in STRANGE:
            if type(value) is plain and fits(value):
                _accept_cell(column, value, allowed(kind).get(column.name, ()))


def test_rows_that_fit_pass() -> None:
    accept(message(1, text="🙂 \x00 \u202e", tags=("ä",), sentiment=-1.0, views=2**62, likes=0))
    accept(message(1, sentiment=1))
    accept(Member(member_id="a"))
    accept(deletion(1, at(1)))
    accept(SPEND)


def test_amounts_and_days_have_their_limits() -> None:
    for spend in (Decimal("NaN"), Decimal(10) ** 14):
        with pytest.raises(Refused, match="spend"):
            accept(replace(SPEND, spend=spend))
    with pytest.raises(Refused, match="date"):
        accept(replace(SPEND, date=datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_deletion_without_a_zone_is_refused() -> None:
    with pytest.raises(Refused, match="deleted_at"):
        accept(deletion(1, datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_hostile_value_is_shown_short_and_inert() -> None:
    with pytest.raises(Refused) as refused:
        accept(replace(message(1), author_role="<script>\n\u202e" * 100))
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


def test_money_is_rounded_to_four_places() -> None:
    found = cells(replace(SPEND, spend=Decimal("1.23456789")), seen(0))
    assert found["spend"] == Decimal("1.2346")


def test_a_month_is_that_of_the_rows_own_time_in_utc() -> None:
    early = datetime(2026, 2, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert month(TABLES["messages"], message(1, created_at=early)) == "2026-01"
    day = Audience(account="us", metric="followers", measured_on=date(2026, 2, 1), value=1)
    assert month(TABLES["audience"], day) == "2026-02"
    assert month(TABLES["members"], Member(member_id="a")) is None


def test_a_whole_number_with_more_digits_than_a_number_keeps_is_refused() -> None:
    with pytest.raises(Refused, match="rating is 9007199254740993, more digits"):
        accept(
            Review(review_id="1", rating=2**53 + 1, rating_max=5.0, created_at=datetime.now(UTC))
        )


@pytest.mark.parametrize("amount", ["1e999999999", "-1e999999999", "NaN", "Infinity"])
def test_an_amount_that_no_column_holds_is_refused(amount: str) -> None:
    with pytest.raises(Refused, match="spend is"):
        accept(replace(SPEND, spend=Decimal(amount)))
