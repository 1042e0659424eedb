"""Stripe: which payments are orders, what they brought in, and what is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from real import absent, bodies, objects
from recorded import Recorded, items_of

from muster.errors import SourceFailed
from muster.records import Item
from muster.sources import stripe
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = stripe.Options(name="payments", platform="stripe", connected_account="acct_7")
DAY = 86_400
AT = int(NOW.timestamp()) - 10 * DAY


def charge(**fields: Any) -> dict[str, Any]:
    return {"id": "ch_1", "amount": 1999, "amount_captured": 1999, "amount_refunded": 0,
            "captured": True, "created": AT, "currency": "eur", "customer": "cus_1",
            "livemode": True, "metadata": {}, "payment_intent": "pi_1", "refunded": False,
            "status": "succeeded", **fields}  # fmt: skip


def order(**fields: Any) -> Any:
    item = Item("charge", charge(**fields), NOW)
    return next(stripe.rows(item, OPTIONS), None)


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        (1999, "EUR", "19.99"),
        (500, "JPY", "500"),
        (500, "KRW", "500"),
        (12500, "KWD", "12.5"),
        (12500, "TND", "12.5"),
        (500, "ISK", "5"),  # no smaller unit, but counted as if it had one
        (500, "UGX", "5"),
        (80045, "HUF", "800.45"),
        (0, "JPY", "0"),
    ],
)
def test_amounts_are_in_the_currency_not_in_its_smallest_unit(
    amount: int, currency: str, told: str
) -> None:
    assert stripe.money(amount, currency) == Decimal(told)


def test_a_captured_payment_is_an_order() -> None:
    row = order()
    assert (row.order_id, row.customer_id, row.revenue) == ("pi_1", "cus_1", Decimal("19.99"))
    assert (row.currency, row.refunded_at) == ("EUR", None)
    assert order(payment_intent=None).order_id == "ch_1"
    assert order(payment_intent={"id": "pi_2"}, customer={"id": "cus_2"}).customer_id == "cus_2"


@pytest.mark.parametrize("other", [{"status": "failed"}, {"captured": False}, {"livemode": False}])
def test_what_failed_or_was_never_taken_or_is_a_test_is_no_order(other: Any) -> None:
    assert order(**other) is None


def test_a_guest_is_a_customer_of_one_order() -> None:
    assert order(customer=None).customer_id == "guest pi_1"


def test_a_part_refunded_lowers_the_revenue_and_all_of_it_is_a_refund() -> None:
    part = order(amount_refunded=999)
    assert (part.revenue, part.refunded_at) == (Decimal(10), None)
    refunds = {"data": [{"created": AT + DAY}, {"created": AT + 3 * DAY}]}
    whole = order(amount_refunded=1999, refunded=True, refunds=refunds)
    assert (whole.revenue, whole.refunded_at) == (0, datetime.fromtimestamp(AT + 3 * DAY, UTC))


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"utm_source": "facebook", "utm_medium": "cpc"}, "paid_social"),
        ({"referrer": "https://www.google.com/"}, "organic_search"),
        ({"channel": "shop window"}, "shop window"),
        ({}, None),
    ],
)
def test_the_channel_is_what_the_metadata_say(metadata: Any, found: str | None) -> None:
    assert order(metadata=metadata).channel == found


def test_refunds_of_old_payments_are_found_and_order_of_pages_does_not_matter() -> None:
    one = Recorded("stripe")
    items = items_of(one.pages(one.wire()))
    rows, _ = one.rows(items)
    assert rows == one.rows(reversed(items))[0]
    assert rows["orders", "ch_old"]["refunded_at"] == datetime(2026, 11, 18, 10, tzinfo=UTC)
    assert rows["orders", "pi_2"]["refunded_at"] == datetime(2026, 11, 17, 10, tzinfo=UTC)
    assert rows["orders", "pi_3"]["revenue"] == Decimal(10)


def test_nothing_that_names_a_buyer_is_stored() -> None:
    one = Recorded("stripe")
    stored = repr(items_of(one.pages(one.wire())))
    for private in ("mia@example.org", "Mia Muster", "Main Street", "4242", "internal_note"):
        assert private not in stored


def asked(status: int, body: Any, slept: list[float]) -> tuple[Any, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        is_first = len(seen) == 1
        return httpx.Response(status if is_first else 200, json=body if is_first else {"data": []})

    http = Http(httpx.MockTransport(answer), clock=lambda: NOW, sleep=slept.append)
    return stripe.connect(OPTIONS, "rk_live_invented", http), seen


def test_the_version_and_the_connected_account_go_with_each_request() -> None:
    api, seen = asked(200, {"data": []}, [])
    assert "no real one" in stripe.check(api, OPTIONS)
    assert seen[0].headers["stripe-version"] == OPTIONS.api_version
    assert seen[0].headers["stripe-account"] == "acct_7"


def test_a_lock_is_waited_for() -> None:
    slept: list[float] = []
    api, seen = asked(409, {"error": {"code": "lock_timeout"}}, slept)
    stripe.check(api, OPTIONS)
    assert (len(seen), slept) == (2, [1.0])


def test_a_key_that_may_not_read_is_told_both_permissions() -> None:
    api, _ = asked(403, {"error": {"message": "no"}}, [])
    with pytest.raises(SourceFailed, match="rak_charge_read and rak_refund_read"):
        stripe.check(api, OPTIONS)


@absent
def test_every_recorded_charge_is_an_order_or_none() -> None:
    real = [
        one
        for _, body in bodies("stripe")
        for one in objects(body, lambda one: one.get("object") == "charge")
    ]
    if not real:
        pytest.skip("no recorded charges of Stripe")
    for told in real:
        found = list(stripe.rows(Item("charge", told, NOW), OPTIONS))
        is_sale = told["status"] == "succeeded" and told["captured"] and told["livemode"]
        assert len(found) == is_sale
        assert all(row.currency == told["currency"].upper() for row in found)
