"""Shopify: a shop's orders, with refunds, cancellations, deliveries and where buyers came from.

Credentials: an app's access token with the scope ``read_orders``, or its ``{"client_id",
"client_secret"}`` (dev dashboard or Settings → Apps → Develop apps). Orders older than 60 days need
``read_all_orders`` too, telling buyers apart ``read_customers`` and Shopify's leave to read
protected customer data. ``account`` is the shop: yourname of yourname.myshopify.com.

Limits: a bucket of query costs that fills by 50 to 1,000 points a second; orders of 60 days.

Verified: orders, visits and the throttling answer by a published connector; not a live shop.

Orders come by when they last changed, and are read again from ten minutes before; a refund, an
edit or a delivery changes an order. Revenue is the present total in the shop's currency: after
edits and refunds, with taxes. ``refunded_at`` is the last refund of an order that is wholly
refunded, or its cancellation. An order is delivered when all its parcels are. Test orders are left
out. The channel is the last visit's before the order: its ``utm`` names, else its referrer; what
was sold in a shop of bricks is ``other``. A buyer who is not told is a new customer with each
order. Nothing that names a buyer is asked for. The cost of goods and a promised date are not read:
Shopify has today's cost and the carrier's guess.

Unverified: the scopes' rules; that a throttled answer always tells the costs; the names of
deliveries' fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from muster.errors import Rejected, Unavailable
from muster.records import Item, Order, Page, Row
from muster.settings import Source
from muster.sources import Window
from muster.sources._answer import Answer, WaitOf, asked_wait
from muster.sources._channels import channel
from muster.sources._http import Api, Http
from muster.sources._newest import State, begin, instant, mapped, page, stamp, start_of
from muster.sources._paging import walk
from muster.sources._text import tidy
from muster.sources._tokens import OAuth, lacking, signed

NEEDS = 'an app\'s access token, or {"client_id", "client_secret"}, with the scope read_orders'
WHERE = "your app's configuration in Shopify"
OVERLAP = timedelta(minutes=10)
PER_PAGE = 50
TOO_FAST = 2.0  # seconds, where Shopify does not tell the costs
_VISIT = "{source referrerUrl utmParameters{source medium}}"
ORDERS = f"""query Orders($after: String, $query: String) {{
  orders(first: {PER_PAGE}, after: $after, sortKey: UPDATED_AT, query: $query) {{
    pageInfo {{hasNextPage endCursor}}
    nodes {{
      id createdAt processedAt updatedAt cancelledAt test sourceName
      displayFinancialStatus displayFulfillmentStatus
      currentTotalPriceSet {{shopMoney {{amount currencyCode}}}}
      refunds(first: 20) {{createdAt}}
      fulfillments(first: 10) {{status deliveredAt}}
      customer {{id}}
      customerJourneySummary {{firstVisit {_VISIT} lastVisit {_VISIT}}}
    }}
  }}
}}"""
SHOP = "query Shop {shop {name} currentAppInstallation {accessScopes {handle}}}"
_UNPAID = ("VOIDED", "EXPIRED")  # nobody paid or ever will
_SCOPE = re.compile(r"`(read_[a-z_]{1,40})`")


class Options(Source):
    """What Shopify needs beyond what every source has."""

    platform: Literal["shopify"]
    account: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$"),
        Field(description="the shop: yourname of yourname.myshopify.com"),
    ]
    api_version: Annotated[
        str, Field(description="version of the Admin API, four a year: 2026-10")
    ] = "2026-10"


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    base_url = options.base_url or f"https://{options.account}.myshopify.com"
    header = ("X-Shopify-Access-Token", "{}")
    oauth = OAuth(f"{base_url}/admin/oauth/access_token", header=header)
    return signed(
        http, base_url, secret, oauth, name=options.name, needs=NEEDS,
        wait_of=_wait_of(options.name), pause_of=_pause_of,
    )  # fmt: skip


def _wait_of(name: str) -> WaitOf:
    """An answer of 200 may be a refusal: too fast, too dear, not allowed, or Shopify's trouble."""

    def wait(answer: Answer) -> float | None:
        codes = {_code(error): error for error in _errors(answer)}
        if "THROTTLED" in codes:
            return _refilled(answer) or TOO_FAST
        if "INTERNAL_SERVER_ERROR" in codes:
            raise Unavailable(f"{name}: Shopify fails for once")
        if codes and not _data(answer):
            raise Rejected(_refusal(name, [*codes.values()]), 400, answer.body)
        return asked_wait(answer)

    return wait


def _pause_of(answer: Answer) -> float | None:
    return _refilled(answer)


def _refilled(answer: Answer) -> float | None:
    """Seconds until the bucket holds enough for the same query again."""
    body = answer.body if isinstance(answer.body, Mapping) else {}
    cost = (body.get("extensions") or {}).get("cost") or {}
    bucket = cost.get("throttleStatus") or {}
    lacks = (cost.get("requestedQueryCost") or 0) - (bucket.get("currentlyAvailable") or 0)
    rate = bucket.get("restoreRate") or 0
    return lacks / rate if bucket and lacks > 0 and rate > 0 else None


def _errors(answer: Answer) -> list[Mapping[str, Any]]:
    found = answer.body.get("errors") if isinstance(answer.body, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _code(error: Mapping[str, Any]) -> str:
    told = error.get("extensions")
    return str(told.get("code")) if isinstance(told, Mapping) else ""


def _data(answer: Answer) -> Mapping[str, Any]:
    """What was asked for; parts that may not be read are null in it."""
    found = answer.body.get("data") if isinstance(answer.body, Mapping) else None
    return {key: one for key, one in found.items() if one} if isinstance(found, Mapping) else {}


def _refusal(name: str, errors: Sequence[Mapping[str, Any]]) -> str:
    told = " ".join(str(error.get("message"))[:200] for error in errors)
    if scopes := _SCOPE.findall(told):
        return str(lacking(name, scopes, (), WHERE))
    return f"{name}: Shopify refuses the query ({tidy(told)[:200]}): check api_version"


def _ask(api: Api, options: Options, name: str, query: str, variables: Mapping[str, Any]) -> Answer:
    path = f"/admin/api/{options.api_version}/graphql.json"
    return api.post(path, {"operationName": name, "query": query, "variables": variables})


def check(api: Api, options: Options) -> str:
    """Asks for the shop's name and what the token may read."""
    answer = _ask(api, options, "Shop", SHOP, {})
    told = answer.body["data"]
    granted = {one["handle"] for one in told["currentAppInstallation"]["accessScopes"]}
    if not granted & {"read_orders", "read_all_orders"}:
        raise lacking(options.name, ["read_orders"], granted, WHERE)
    back = "all orders" if "read_all_orders" in granted else "orders of the last 60 days"
    whose = "" if "read_customers" in granted else ", without telling buyers apart (read_customers)"
    served = answer.headers.get("x-shopify-api-version", options.api_version)
    old = "" if served == options.api_version else f"; it serves api_version {served} instead"
    return f"reads {back} of {str(told['shop']['name'])[:80]}{whose}{old}"


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Orders by when they last changed, oldest first, from ten minutes before the last known."""
    state = begin(window)
    begun = state.setdefault("walk", {"query": _query(window, state), "after": None, "high": None})

    def ask(after: str | None) -> Answer:
        variables = {"query": begun["query"], "after": after}
        return _ask(api, window.options, "Orders", ORDERS, variables)

    for step in walk(ask, _read, start=begun["after"]):
        changes = [begun["high"], *map(_changed, step.items)]
        begun["high"] = max(filter(None, changes), default=None)
        begun["after"] = step.token
        if step.token is None:
            _finished(state, begun)
        yield page(state, [Item("order", one, step.answer.seen_at) for one in step.items])


def _query(window: Window, state: State) -> str | None:
    """Which orders are asked for, in Shopify's words."""
    mark = state.get("mark")
    start = instant(mark) - OVERLAP if mark else start_of(window)
    bounds = [("updated_at:>=", start), ("created_at:<", window.until)]
    return " ".join(f"{name}'{_seconds(at)}'" for name, at in bounds if at) or None


def _seconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(answer: Answer) -> tuple[Sequence[Any], str | None]:
    orders = _data(answer).get("orders") or {}
    info, found = orders.get("pageInfo") or {}, orders.get("nodes")
    token = info.get("endCursor") if info.get("hasNextPage") else None
    return found if isinstance(found, list) else (), token


def _changed(order: Any) -> str | None:
    try:
        return stamp(instant(order["updatedAt"]))
    except (KeyError, TypeError, ValueError):
        return None


def _finished(state: State, begun: State) -> None:
    del state["walk"]
    if begun["high"]:
        state["mark"] = max(begun["high"], state.get("mark") or begun["high"])


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The order, unless it is a test."""
    yield from mapped(lambda: _order_rows(item.body))


def _order_rows(order: Mapping[str, Any]) -> Iterator[Order]:
    if order.get("test"):
        return
    number, buyer = _number(order["id"]), order.get("customer") or {}
    money = order["currentTotalPriceSet"]["shopMoney"]
    yield Order(
        order_id=number,
        customer_id=_number(buyer["id"]) if buyer else f"guest {number}",
        created_at=instant(order.get("processedAt") or order["createdAt"]),
        revenue=Decimal(0 if order.get("displayFinancialStatus") in _UNPAID else money["amount"]),
        currency=money["currencyCode"],
        channel=_channel(order),
        delivered_at=_delivered_at(order),
        refunded_at=_refunded_at(order),
    )


def _number(gid: str) -> str:
    """``gid://shopify/Order/1`` → ``1``."""
    return gid.rpartition("/")[2]


def _channel(order: Mapping[str, Any]) -> str | None:
    if order.get("sourceName") == "pos":
        return "other"
    journey = order.get("customerJourneySummary") or {}
    visit = journey.get("lastVisit") or journey.get("firstVisit") or {}
    campaign = visit.get("utmParameters") or {}
    source = campaign.get("source") or visit.get("source")
    return channel(source, campaign.get("medium"), visit.get("referrerUrl"))


def _delivered_at(order: Mapping[str, Any]) -> datetime | None:
    """When the last parcel came, once all are sent and all have come."""
    parcels = [one for one in order.get("fulfillments") or () if one.get("status") == "SUCCESS"]
    came = [one.get("deliveredAt") for one in parcels]
    is_whole = order.get("displayFulfillmentStatus") == "FULFILLED"
    return max(map(instant, came)) if is_whole and came and all(came) else None


def _refunded_at(order: Mapping[str, Any]) -> datetime | None:
    if order.get("displayFinancialStatus") == "REFUNDED":
        refunds = [instant(one["createdAt"]) for one in order.get("refunds") or ()]
        if refunds:
            return max(refunds)
    return instant(order["cancelledAt"]) if order.get("cancelledAt") else None
