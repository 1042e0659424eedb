"""Trustpilot's reviews of single products: a list that is read whole once a UTC day.

It has no documented order and cannot be asked for by time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._downward import done_today, is_due_today, is_within
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


def path(unit: str) -> str:
    """Where the products' reviews of a business unit are listed."""
    return f"/v1/private/product-reviews/business-units/{unit}/reviews"


def steps(get: Get, state: State, window: Window, unit: str) -> Iterator[Step[str]]:
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
    number = 1

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        nonlocal number
        number = int(token or 1)
        return get(path(unit), {"perPage": PER_PAGE, "page": number, "state": STATES})

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        found = answer.body.get("productReviews")
        is_more = isinstance(found, list) and found
        return (found, str(number + 1)) if is_more else ((), None)

    return Stream("list", ask, read, _place, lambda mark: {})


def _created_at(review: Any) -> datetime:
    return instant(review["createdAt"])


def _place(review: Any) -> Place:
    return [stamp(_created_at(review)), review["id"]]


def kept(review: Any) -> Any:
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
