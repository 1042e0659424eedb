"""Stripe: payments as orders, with refunds and where buyers came from.

Credentials: a restricted key (``rk_live_…``) that may read Charges and Refunds (Developers → API
keys → Create restricted key). ``connected_account`` reads a connected account's payments.

Limits: 100 requests a second, 100 payments each; back to the account's first payment.

Verified: every field read by the types of Stripe's own client of this version, amounts by its list
of currencies; not against a live account.

An order is a payment that succeeded and was captured; attempts that failed and test payments are
none. Its revenue is what was captured less what was refunded. ``refunded_at`` is when the last of
it was refunded; a refund of a part only lowers the revenue. Refunds are found by their own list,
however old the payment is; payments of eight days are read again once a UTC day, since they may be
captured late. Where the buyer came from is read from the payment's ``metadata``: ``utm_source``,
``utm_medium``, ``referrer``, or ``channel`` itself. A buyer without a customer at Stripe is a new
customer with each order. A renewal of a subscription is an order like any other. Names,
addresses and cards are left out before anything is stored. Disputes are not read.

Unverified: the limit of 100 requests a second; that 409 is only ever a lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Item, Order, Page, Row
from muster.settings import Source
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait
from muster.sources._channels import channel
from muster.sources._downward import done_today, downward, is_due_today
from muster.sources._granted import granted
from muster.sources._http import Api, Http
from muster.sources._newest import (
    Place,
    Stream,
    begin,
    finish,
    follow,
    instant,
    mapped,
    page,
    stamp,
)
from muster.sources._private import without
from muster.sources._tokens import hidden

LIMIT = 100
LATE, OVERLAP = 8 * DAY, DAY
TOO_FAST = 1.0  # seconds, where Stripe only says: too fast, or locked
NEEDED = "rak_charge_read and rak_refund_read (Charges: Read, Refunds: Read)"
_PRIVATE = (
    "billing_details", "shipping", "receipt_email", "receipt_url", "receipt_number",
    "payment_method_details", "source", "fraud_details", "destination_details", "description",
    "statement_descriptor", "calculated_statement_descriptor", "outcome",
)  # fmt: skip
_KEPT = ("utm_source", "utm_medium", "utm_campaign", "referrer", "channel")  # of the metadata
# Stripe's own list: ISK and UGX, which have no smaller unit any more, count as if they had.
_NO_MINOR = frozenset(
    (
        "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
        "XOF", "XPF",
    )
)  # fmt: skip
_THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))


class Options(Source):
    """What Stripe needs beyond what every source has."""

    platform: Literal["stripe"]
    connected_account: Annotated[
        str | None, Field(description="id of a connected account: acct_…; absent: the key's own")
    ] = None
    api_version: Annotated[
        str, Field(description="version of Stripe's API, whatever the account's default")
    ] = "2026-10-28.endive"


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The client, pinned to a version of the API."""
    if not secret:
        raise SourceFailed(
            f"{options.name}: Stripe needs a restricted key: set token: env:NAME for this source"
        )
    headers = {
        "Authorization": f"Bearer {secret}",
        "Stripe-Version": options.api_version,
        "Stripe-Account": options.connected_account,
    }
    return Api(
        http,
        options.base_url or "https://api.stripe.com",
        headers,
        name=options.name,
        wait_of=_wait_of,
        secrets=hidden(secret),
    )


def _wait_of(answer: Answer) -> float | None:
    asked = asked_wait(answer)
    return TOO_FAST if asked is None and answer.status in (409, 429) else asked


def check(api: Api, options: Options) -> str:
    """Asks for the newest payment."""
    newest = _list(_granted(api, "/v1/charges", {"limit": 1}))
    is_live = any(isinstance(one, Mapping) and one.get("livemode") for one in newest)
    return f"reads Stripe's payments: {'the newest is there' if is_live else 'no real one yet'}"


def _granted(api: Api, path: str, params: Mapping[str, Any]) -> Answer:
    return granted(api, path, params, "Stripe", _permission)


def _permission(refused: Rejected) -> str:
    told = " ".join(re.findall(r"\brak_[a-z_]{1,60}\b", str(refused.body)))
    return f"the key needs {told or NEEDED}"


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Payments, newest first; then refunds, each with the payment it is of."""
    state = begin(window)
    overlap = LATE if is_due_today(state, window, "late") else OVERLAP
    charges = _stream(api, window, "charges", overlap, "data.refunds")
    for step in follow(state, charges, window):
        if step.token is None:
            done_today(state, window, "late")
        yield page(state, [_item("charge", one, step.answer) for one in step.items])
    refunds = _stream(api, window, "refunds", OVERLAP, "data.charge.refunds")
    for step in follow(state, refunds, window):
        yield page(state, [_item("refund", one, step.answer) for one in step.items])
    yield finish(state)


def _stream(api: Api, window: Window, name: str, overlap: timedelta, expanded: str) -> Stream:
    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        bounds = {
            f"created[{end}]": int(instant(asked[key]).timestamp())
            for end, key in (("gte", "from"), ("lt", "until"))
            if asked[key]
        }
        more = {"limit": LIMIT, "starting_after": token, "expand[]": expanded}
        return _granted(api, f"/v1/{name}", {**more, **bounds})

    return downward(name, ask, _read, _place, window, overlap)


def _read(answer: Answer) -> tuple[Sequence[Any], str | None]:
    """The objects of a page, and the last one's id if there are more."""
    found = _list(answer)
    ids = [one["id"] for one in found if isinstance(one, Mapping) and _is_id(one.get("id"))]
    return found, ids[-1] if answer.body.get("has_more") and ids else None


def _list(answer: Answer) -> Sequence[Any]:
    found = answer.body.get("data")
    return found if isinstance(found, list) else ()


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _place(one: Any) -> Place:
    return [stamp(_time(one["created"])), one["id"]]


def _item(stream: str, told: Any, answer: Answer) -> Item:
    return Item(stream, _bare(without(told, _PRIVATE)), answer.seen_at)


def _bare(value: Any) -> Any:
    """The value whose ``metadata`` hold only where the buyer came from."""
    if isinstance(value, Mapping):
        return {
            key: {name: found[name] for name in _KEPT if name in found}
            if key == "metadata" and isinstance(found, Mapping)
            else _bare(found)
            for key, found in value.items()
        }
    return [_bare(one) for one in value] if isinstance(value, list) else value


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The order an item stands for, if it is one."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item.body))


def _refund_rows(refund: Mapping[str, Any]) -> Iterator[Order]:
    """The payment that a refund is of, as it is now."""
    if isinstance(refund["charge"], Mapping):  # a refund of something older has none
        yield from _charge_rows(refund["charge"])


def _charge_rows(charge: Mapping[str, Any]) -> Iterator[Order]:
    is_sale = charge["status"] == "succeeded" and charge["captured"] and charge["livemode"]
    if not is_sale:
        return
    currency = charge["currency"].upper()
    taken = charge.get("amount_captured", charge["amount"]) - charge["amount_refunded"]
    yield Order(
        order_id=_order(charge),
        customer_id=_named(charge.get("customer")) or f"guest {_order(charge)}",
        created_at=_time(charge["created"]),
        revenue=money(taken, currency),
        currency=currency,
        channel=_channel(charge.get("metadata") or {}),
        refunded_at=_refunded_at(charge),
    )


def _order(charge: Mapping[str, Any]) -> str:
    """The purchase, of which a payment may be the second attempt."""
    return _named(charge.get("payment_intent")) or charge["id"]


def _named(told: Any) -> str | None:
    """The id of something, expanded or not."""
    found = told.get("id") if isinstance(told, Mapping) else told
    return found if _is_id(found) else None


def _refunded_at(charge: Mapping[str, Any]) -> datetime | None:
    """When the last of it went back; a part of it does not count."""
    if not charge["refunded"]:
        return None
    refunds = (charge.get("refunds") or {}).get("data") or ()
    return _time(max((one["created"] for one in refunds), default=charge["created"]))


def _channel(metadata: Mapping[str, Any]) -> str | None:
    told = [str(metadata.get(name) or "") for name in ("utm_source", "utm_medium", "referrer")]
    return metadata.get("channel") or channel(*told)


def money(amount: int, currency: str) -> Decimal:
    """An amount in the currency's smallest unit, as Stripe counts it, in the currency.

    >>> money(1999, "EUR"), money(500, "JPY"), money(1500, "KWD")
    (Decimal('19.99'), Decimal('500'), Decimal('1.500'))
    """
    places = 0 if currency in _NO_MINOR else 3 if currency in _THOUSANDTHS else 2
    return Decimal(amount).scaleb(-places)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_MAPPINGS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Order]]] = {
    "charge": _charge_rows,
    "refund": _refund_rows,
}
