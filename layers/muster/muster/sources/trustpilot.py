"""Trustpilot: reviews of our company and of single products, with our replies, edits, what is gone.

Credentials: an API key (Trustpilot Business → Integrations → Developers → APIs); with its secret,
``{"client_id": …, "client_secret": …}``, for reviews of single products. The API is a paid module.
``account`` is our domain as Trustpilot has it, or the id of the business unit.

Limits: 833 requests in five minutes, 10,000 an hour, 100 reviews each; the first 100,000 reviews.

Verified: fields by the schemas of two published connectors, those of products by Trustpilot's and
others' published code; not against a live account.

Reviews of 30 days are read again once a UTC day, since replies and edits come late; on days 1, 3,
7 and 30 each is looked up, and one that is not there any more is deleted. One that is offline,
because somebody flagged it, keeps its stars and counts again once it returns. Trustpilot wants
deleted reviews removed, and so their words are. Names of reviewers, references to orders and mail
addresses are left out before anything is stored. ``reviews: [company, products]`` also reads those
of single products, the whole list once a UTC day, as it can be asked for neither by time nor in an
order. Ratings of both are one number; make it two sources if they are to stand apart.

Unverified: the limit of 100,000 reviews; the names of states other than active; where a product's
number and name stand, and that its list holds what is offline when asked for by ``state``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.clock import DAY
from muster.errors import Refused, Rejected
from muster.records import Item, Page, Review, Row
from muster.settings import Source
from muster.sources import Window
from muster.sources import _trustpilot_lists as lists
from muster.sources._answer import Answer, asked_wait
from muster.sources._downward import done_today, downward, is_due_today
from muster.sources._granted import granted
from muster.sources._http import Api, Http
from muster.sources._newest import (
    State,
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
from muster.sources._reviews import gone_rows, known_reviews, looked_at_again, looked_up
from muster.sources._text import tidy
from muster.sources._tokens import OAuth, fields_of, hidden, signed

NEEDS = "an API key of Trustpilot"
NEEDS_BOTH = 'Trustpilot\'s API key and its secret: {"client_id": …, "client_secret": …}'
TOKENS = "/v1/oauth/oauth-business-users-for-applications/accesstoken"
PER_PAGE = 100
LATE, OVERLAP = 30 * DAY, DAY
TOO_FAST = 60.0  # seconds, where Trustpilot only says: too fast
BEST = 5.0
_PRIVATE = ("referralEmail", "referenceId", "displayName", "invitation", "findReviewer")
_ACTIVE = "active"
_PRODUCT = "product_review"

Known = Mapping[str, Review]


class Options(Source):
    """What Trustpilot needs beyond what every source has."""

    platform: Literal["trustpilot"]
    account: Annotated[str, Field(description="our domain, or the id of the business unit")]
    reviews: Annotated[
        tuple[Literal["company", "products"], ...],
        Field(min_length=1, description="of the company, of single products, or both"),
    ] = ("company",)


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The client that sends our key; for reviews of products, signed in as well."""
    base_url = options.base_url or "https://api.trustpilot.com"
    told: dict[str, Any] = {"name": options.name, "wait_of": _wait_of}
    if "products" not in options.reviews:
        key = _key(secret, options.name)
        return Api(http, base_url, {"apikey": key}, secrets=hidden(secret), **told)
    fields = fields_of(secret, options.name, NEEDS_BOTH, "client_id", "client_secret")
    oauth = OAuth(base_url + TOKENS, basic=True, headers={"apikey": str(fields["client_id"])})
    return signed(http, base_url, secret, oauth, needs=NEEDS_BOTH, **told)


def _key(secret: str | None, name: str) -> str:
    """The API key, which may come with its secret."""
    plain = fields_of(secret, name, NEEDS).get("access_token")
    return str(plain or fields_of(secret, name, NEEDS, "client_id")["client_id"])


def _wait_of(answer: Answer) -> float | None:
    asked = asked_wait(answer)
    return TOO_FAST if asked is None and answer.status == 429 else asked


def check(api: Api, options: Options) -> str:
    """Looks our company up, and the first of its products' reviews if they are read."""
    unit = _unit(api, options).body
    if "products" in options.reviews:
        _granted(api, lists.products_path(unit["id"]), {"perPage": 1})
    total = (unit.get("numberOfReviews") or {}).get("total")
    counted = f", {total:,} reviews" if isinstance(total, int) else ""
    return f"reads Trustpilot's reviews of {tidy(str(unit.get('displayName')))[:80]}{counted}"


def _granted(api: Api, path: str, params: Mapping[str, Any] | None = None) -> Answer:
    module = "Product Reviews" if "/product-reviews/" in path else "Service Reviews"
    key = f"check the API key, and that its application has the module {module}"
    return granted(api, path, params, "Trustpilot", {401: key, 403: key})


def _unit(api: Api, options: Options) -> Answer:
    """Our business unit, by its id or our domain."""
    account = options.account
    is_id = len(account) == 24 and all(one in "0123456789abcdef" for one in account)
    if is_id:
        return _granted(api, f"/v1/business-units/{account}")
    return _granted(api, "/v1/business-units/find", {"name": account})


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Reviews of the company, then of products, each with known ones looked up again."""
    state, known = begin(window), known_reviews(window)
    unit = _unit(api, window.options).body["id"]
    if "company" in window.options.reviews:
        yield from _of_company(api, window, state, known, unit)
    if "products" in window.options.reviews:
        yield from _of_products(api, window, state, known, unit)
    yield finish(state)


def _of_company(
    api: Api, window: Window, state: State, known: Known, unit: str
) -> Iterator[Page]:  # fmt: skip
    path = f"/v1/business-units/{unit}/reviews"
    for step in follow(state, _stream(api, window, state, path), window):
        if step.token is None:
            done_today(state, window, "late")
        yield page(state, [_item("review", known, one, step.answer) for one in step.items])
    ours = {key: one for key, one in known.items() if one.product == window.options.account}
    for one in looked_at_again(state, window, ours):
        yield page(state, [_again(api, known, one)])


def _of_products(
    api: Api, window: Window, state: State, known: Known, unit: str
) -> Iterator[Page]:  # fmt: skip
    """The same, with a state of their own in the cursor."""
    mine = state.setdefault("products", {})
    for step in lists.product_steps(partial(_granted, api), mine, window, unit):
        yield page(state, [_item(_PRODUCT, known, one, step.answer) for one in step.items])
    theirs = {key: one for key, one in known.items() if one.product != window.options.account}
    for one in looked_at_again(mine, window, theirs):
        yield page(state, [_product_again(api, known, one)])


def _stream(api: Api, window: Window, state: State, path: str) -> Stream:
    newest_first = {"orderBy": "createdat.desc"}
    ask, read = lists.by_number(partial(_granted, api), path, newest_first, "reviews")
    overlap = LATE if is_due_today(state, window, "late") else OVERLAP
    return downward("reviews", ask, read, lists.placed, window, overlap)


def _item(stream: str, known: Known, review: Any, answer: Answer) -> Item:
    """The review without names, and since when it is known to be offline."""
    review_id = review.get("id") if isinstance(review, Mapping) else None
    before = known.get(review_id) if isinstance(review_id, str) else None
    since = stamp(before.deleted_at) if before and before.deleted_at else None
    kept = lists.kept_product(review) if stream == _PRODUCT else without(review, _PRIVATE)
    return Item(stream, kept, answer.seen_at, {"offline_since": since})


def _again(api: Api, known: Known, one: Review) -> Item:
    def read() -> Item:
        answer = _granted(api, f"/v1/reviews/{one.review_id}")
        return _item("review", known, answer.body, answer)

    return looked_up(api, one, read)


def _product_again(api: Api, known: Known, one: Review) -> Item:
    """A product's; not there, it may be of the company, from when ``account`` was put otherwise."""
    try:
        answer = _granted(api, f"/v1/private/product-reviews/{one.review_id}")
    except Rejected as refused:
        if not refused.is_gone:
            raise
        return _again(api, known, one)
    return _item(_PRODUCT, known, answer.body, answer)


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The review an item stands for."""
    rows_of = {"gone": gone_rows, _PRODUCT: _product_rows}.get(item.stream, _review_rows)
    yield from mapped(lambda: rows_of(item, options))


def _product_rows(item: Item, options: Source) -> Iterator[Review]:
    about = lists.product(item.body)
    for row in _review_rows(replace(item, body=lists.as_review(item.body)), options):
        yield replace(row, product=about)


def _review_rows(item: Item, options: Source) -> Iterator[Review]:
    review = item.body
    is_there = review.get("status", _ACTIVE) == _ACTIVE
    reply = review.get("companyReply") or {}
    yield Review(
        review_id=review["id"],
        product=options.account,
        author_id=(review.get("consumer") or {}).get("id"),
        rating=_stars(review["stars"]),
        rating_max=BEST,
        title=_text(review.get("title")) if is_there else None,
        text=_text(review.get("text")) if is_there else None,
        created_at=instant(review["createdAt"]),
        edited_at=_time(review.get("updatedAt")),
        replied_at=_time(reply.get("createdAt")),
        deleted_at=None if is_there else _offline_since(item),
    )


def _offline_since(item: Item) -> datetime:
    since = (item.context or {}).get("offline_since")
    return max(instant(since) if since else item.seen_at, instant(item.body["createdAt"]))


def _stars(value: Any) -> float:
    if not 1 <= value <= BEST:
        raise Refused(f"a rating of {value} is none of 1 to 5 stars")
    return float(value)


def _text(told: str | None) -> str | None:
    return tidy(told or "") or None


def _time(told: str | None) -> datetime | None:
    return instant(told) if told else None
