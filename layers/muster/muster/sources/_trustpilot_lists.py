"""Trustpilot's lists by number of page; that of single products' reviews, read once a UTC day.

It is read whole: it has no documented order and cannot be asked for by time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._downward import Ask, Read, done_today, is_due_today, is_within
from muster.sources._newest import (
    OPEN,
    Place,
    State,
    Stream,
    finish,
    follow,
    given,
    instant,
    stamp,
)
from muster.sources._paging import Step
from muster.sources._private import without

_PRIVATE = ("email", "displayName", "referenceId", "attachments")
STATES = "published,unpublished,underModeration,archived"
PER_PAGE = 100
_THERE = "published"

Get = Callable[[str, Mapping[str, Any]], Answer]


def products_path(unit: str) -> str:
    """Where the products' reviews of a business unit are listed."""
    return f"/v1/private/product-reviews/business-units/{unit}/reviews"


def product_steps(get: Get, state: State, window: Window, unit: str) -> Iterator[Step[str]]:
    """The pages with the reviews of the window; ``state``, the products' own, is ahead of each."""
    is_open = given(window) == OPEN
    if is_open and not is_due_today(state, window, "list"):
        return
    for step in follow(state, _stream(get, unit), window):
        if is_open and step.token is None:
            done_today(state, window, "list")
        within = [one for one in step.items if is_within(window, _created_at, one)]
        yield replace(step, items=within)
    finish(state)


def _stream(get: Get, unit: str) -> Stream:
    ask, read = by_number(get, products_path(unit), {"state": STATES}, "productReviews")
    return Stream("list", ask, read, placed, lambda mark: {})


def by_number(get: Get, path: str, more: Mapping[str, Any], name: str) -> tuple[Ask, Read]:
    """How a list is asked for and read by number of page, until one is empty."""
    number = 1

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        nonlocal number
        number = int(token or 1)
        return get(path, {"perPage": PER_PAGE, "page": number, **more})

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        found = answer.body.get(name)
        is_more = isinstance(found, list) and found
        return (found, str(number + 1)) if is_more else ((), None)

    return ask, read


def _created_at(review: Any) -> datetime:
    return instant(review["createdAt"])


def placed(review: Any) -> Place:
    """Where a review stands in its list."""
    return [stamp(_created_at(review)), review["id"]]


def kept_product(review: Any) -> Any:
    """What is stored of a review: of who wrote it, the id."""
    stored = without(review, _PRIVATE)
    if isinstance(stored, dict) and isinstance(who := stored.get("consumer"), Mapping):
        stored["consumer"] = {"id": who.get("id")}
    return stored


def as_review(review: Mapping[str, Any]) -> dict[str, Any]:
    """A review of a product in the words of one of the company."""
    state = review.get("state") or _THERE
    return {
        **review,
        "text": review.get("content"),
        "status": "active" if state == _THERE else state,
        "companyReply": review.get("firstCompanyComment"),
    }


def product(review: Mapping[str, Any]) -> str | None:
    """What was reviewed: the shop's number of it, else its name."""
    told = review.get("product") or {}
    return told.get("sku") or told.get("name")
