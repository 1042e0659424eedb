"""Shopify: what an order brought in, and answers of 200 that are refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from real import absent, bodies, objects
from recorded import Recorded, items_of

from muster.errors import SourceFailed, Unavailable
from muster.records import Item
from muster.sources import Window, shopify
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = shopify.Options(name="shop", platform="shopify", account="campus")
BUCKET = {"maximumAvailable": 1000.0, "currentlyAvailable": 20, "restoreRate": 50.0}
COST = {"cost": {"requestedQueryCost": 120, "throttleStatus": BUCKET}}


def order(**fields: Any) -> Any:
    body = {"id": "gid://shopify/Order/7", "createdAt": "2026-11-02T09:00:00Z",
            "updatedAt": "2026-11-03T09:00:00Z", "displayFinancialStatus": "PAID",
            "currentTotalPriceSet": {"shopMoney": {"amount": "19.99", "currencyCode": "EUR"}},
            "customer": {"id": "gid://shopify/Customer/1"}, **fields}  # fmt: skip
    return next(shopify.rows(Item("order", body, NOW), OPTIONS), None)


def money(amount: str, currency: str) -> Any:
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def test_an_order_in_the_currency_of_the_shop() -> None:
    row = order()
    assert (row.order_id, row.customer_id, row.revenue) == ("7", "1", Decimal("19.99"))
    assert order(currentTotalPriceSet=money("1500.0", "JPY")).revenue == 1500
    assert order(currentTotalPriceSet=money("12.500", "KWD")).revenue == Decimal("12.5")
    assert order(test=True) is None
    assert order(customer=None).customer_id == "guest 7"
    earlier = order(processedAt="2020-01-01T00:00:00Z")
    assert earlier.created_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_refund_is_of_the_whole_order_and_so_is_a_cancellation() -> None:
    refunds = [{"createdAt": "2026-11-06T09:00:00Z"}, {"createdAt": "2026-11-05T09:00:00Z"}]
    part = order(displayFinancialStatus="PARTIALLY_REFUNDED", refunds=refunds)
    assert part.refunded_at is None
    whole = order(displayFinancialStatus="REFUNDED", refunds=refunds)
    assert whole.refunded_at == datetime(2026, 11, 6, 9, tzinfo=UTC)
    cancelled = order(displayFinancialStatus="VOIDED", cancelledAt="2026-11-04T09:00:00Z")
    assert cancelled.refunded_at == datetime(2026, 11, 4, 9, tzinfo=UTC)
    assert cancelled.revenue == 0


def test_an_order_is_delivered_when_all_its_parcels_are() -> None:
    first = {"status": "SUCCESS", "deliveredAt": "2026-11-05T09:00:00Z"}
    last = {"status": "SUCCESS", "deliveredAt": "2026-11-06T09:00:00Z"}
    lost = {"status": "CANCELLED", "deliveredAt": None}
    sent = {"displayFulfillmentStatus": "FULFILLED"}
    came = order(fulfillments=[last, first, lost], **sent)
    assert came.delivered_at == datetime(2026, 11, 6, 9, tzinfo=UTC)
    assert order(fulfillments=[first, {**last, "deliveredAt": None}], **sent).delivered_at is None
    assert order(fulfillments=[first]).delivered_at is None
    assert order(fulfillments=[], **sent).delivered_at is None


@pytest.mark.parametrize(
    ("visit", "found"),
    [
        ({"utmParameters": {"source": "facebook", "medium": "cpc"}}, "paid_social"),
        ({"source": "Google", "referrerUrl": "https://www.google.com/"}, "organic_search"),
        ({"source": "direct"}, "direct"),
        ({}, None),
    ],
)
def test_the_channel_is_that_of_the_last_visit(visit: Any, found: str | None) -> None:
    journey = {"firstVisit": {"source": "an unknown site"}, "lastVisit": visit or None}
    journey = journey if visit else {"firstVisit": None, "lastVisit": None}
    assert order(customerJourneySummary=journey).channel == found
    assert order(customerJourneySummary=journey, sourceName="pos").channel == "other"


def fetch(*answers: Any, slept: list[float] | None = None) -> tuple[list[Any], list[Item]]:
    """The variables of each request, and the items."""
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["variables"])
        return httpx.Response(200, json=answers[min(len(asked), len(answers)) - 1])

    sleep = (slept if slept is not None else []).append
    http = Http(httpx.MockTransport(answer), clock=lambda: NOW, sleep=sleep)
    pages = list(shopify.pages(shopify.connect(OPTIONS, "shpat_x", http), Window(OPTIONS, NOW, {})))
    return asked, items_of(pages)


def listed(*nodes: Any, after: str | None = None, cost: Any = None, **more: Any) -> Any:
    info = {"hasNextPage": after is not None, "endCursor": after}
    data = {"orders": {"pageInfo": info, "nodes": list(nodes)}}
    return {"data": data, "extensions": cost or {}, **more}


def refused(code: str, message: str = "no", **more: Any) -> Any:
    return {"errors": [{"message": message, "extensions": {"code": code}}], **more}


def test_a_throttled_answer_waits_until_the_bucket_holds_enough() -> None:
    slept: list[float] = []
    asked, _ = fetch(refused("THROTTLED", extensions=COST), listed(), slept=slept)
    assert (len(asked), slept) == (2, [2.0])


def test_an_almost_empty_bucket_is_not_emptied() -> None:
    slept: list[float] = []
    fetch(listed(after="a", cost=COST), listed(cost=COST), slept=slept)
    assert slept == [2.0]


def test_trouble_of_shopify_is_tried_again() -> None:
    assert len(fetch(refused("INTERNAL_SERVER_ERROR"), listed(), slept=[])[0]) == 2
    with pytest.raises(Unavailable):
        fetch(refused("INTERNAL_SERVER_ERROR"), slept=[])


def test_a_missing_scope_is_named_and_a_query_that_is_too_dear_told() -> None:
    message = "Access denied for orders field. Required access: `read_orders` access scope."
    with pytest.raises(SourceFailed, match="read_orders"):
        fetch(refused("ACCESS_DENIED", message, data={"orders": None}))
    with pytest.raises(SourceFailed, match="api_version"):
        fetch(refused("MAX_COST_EXCEEDED"))


def test_buyers_that_may_not_be_told_apart_cost_no_order() -> None:
    node = {"id": "gid://shopify/Order/7", "customer": None}
    denied = refused("ACCESS_DENIED", "Access denied for customer field.")["errors"]
    assert len(fetch(listed(node, errors=denied))[1]) == 1


def test_doctor_says_what_is_read_and_which_version_is_served() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        scopes = [{"handle": one} for one in granted]
        data = {"shop": {"name": "Campus"}, "currentAppInstallation": {"accessScopes": scopes}}
        return httpx.Response(
            200, json={"data": data}, headers={"x-shopify-api-version": "2026-07"}
        )

    api = shopify.connect(OPTIONS, "shpat_x", Http(httpx.MockTransport(answer)))
    granted = ["read_orders"]
    told = shopify.check(api, OPTIONS)
    assert "60 days" in told and "read_customers" in told and "2026-07" in told
    granted = ["read_all_orders", "read_customers"]
    assert "all orders" in shopify.check(api, OPTIONS)
    granted = ["read_products"]
    with pytest.raises(SourceFailed, match="read_orders"):
        shopify.check(api, OPTIONS)


def test_an_apps_own_credentials_become_a_token() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/admin/oauth/access_token":
            assert b"grant_type=client_credentials" in request.content
            return httpx.Response(200, json={"access_token": "shpat_new", "expires_in": 86399})
        assert request.headers["x-shopify-access-token"] == "shpat_new"
        return httpx.Response(200, json=listed())

    secret = json.dumps({"client_id": "id-of-app", "client_secret": "secret-of-app"})
    http = Http(httpx.MockTransport(answer), clock=lambda: NOW)
    assert list(shopify.pages(shopify.connect(OPTIONS, secret, http), Window(OPTIONS, NOW, {})))


def test_nothing_that_names_a_buyer_is_asked_for() -> None:
    for private in ("email", "phone", "name", "Address", "note"):
        assert private not in shopify.ORDERS


@absent
def test_every_recorded_order_is_an_order() -> None:
    is_order = lambda one: str(one.get("id")).startswith("gid://shopify/Order/")  # noqa: E731
    real = [one for _, body in bodies("shopify") for one in objects(body, is_order)]
    if not real:
        pytest.skip("no recorded orders of Shopify")
    for told in real:
        found = list(shopify.rows(Item("order", told, NOW), OPTIONS))
        assert len(found) == (not told.get("test"))


def test_the_recording_holds_each_kind_of_order() -> None:
    one = Recorded("shopify")
    rows, _ = one.rows(items_of(one.pages(one.wire())))
    currencies = {row["currency"] for row in rows.values()}
    assert currencies == {"EUR", "JPY", "KWD"}
    assert sum(row["refunded_at"] is not None for row in rows.values()) == 2
