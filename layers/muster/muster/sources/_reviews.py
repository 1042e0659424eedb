"""Reviews dated by their last change in; when they were written, and which are gone, out.

A row's ``created_at`` never moves. So the first date a review was seen with stays when it was
written, and a later one is its edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from muster.errors import Rejected
from muster.records import Item, KnownMessage, Review
from muster.settings import Source
from muster.sources import Window
from muster.sources._http import Api
from muster.sources._newest import State, came_of_age, instant, recheck, stamp


def known_reviews(window: Window) -> Mapping[str, Review]:
    """What the lake holds, by id."""
    return {known.review_id: known for known in window.reviews()}


def first(known: Mapping[str, Review], review_id: Any) -> dict[str, str | None]:
    """The context a review's mapping needs: when it was first seen."""
    found = known.get(review_id) if isinstance(review_id, str) else None
    return {"first": stamp(found.created_at) if found else None}


def times(changed: datetime, context: Mapping[str, Any] | None) -> tuple[datetime, datetime | None]:
    """When it was written, and when it was edited, from the date of its last change."""
    seen = (context or {}).get("first")
    created = min(instant(seen), changed) if seen else changed
    return created, changed if changed > created else None


def looked_at_again(
    state: State,
    window: Window,
    known: Mapping[str, Review],
    is_due: Callable[[KnownMessage, datetime, datetime], bool] = came_of_age,
) -> Iterator[Review]:
    """Known reviews that came of age since the last look, counted from their last change."""
    here = [one for one in known.values() if one.deleted_at is None]

    def changed(at: datetime) -> Iterator[KnownMessage]:
        for one in here:
            when = one.edited_at or one.created_at
            if when >= at:
                yield KnownMessage(one.review_id, one.review_id, when)

    for batch in recheck(state, replace(window, known=changed), 1, is_due):
        yield known[batch[0].message_id]


def looked_up(api: Api, one: Review, read: Callable[[], Item]) -> Item:
    """What ``read`` finds of a known review, or that it is gone."""
    try:
        return read()
    except Rejected as refused:
        if not refused.is_gone:
            raise
        return gone(one, api.http.clock())


def gone(known: Review, seen_at: datetime) -> Item:
    """A known review that was not found any more."""
    told = {"review_id": known.review_id, "product": known.product, "rating": known.rating,
            "rating_max": known.rating_max, "created_at": stamp(known.created_at)}  # fmt: skip
    return Item("gone", None, seen_at, told)


def gone_rows(item: Item, options: Source) -> Iterator[Review]:
    """What stays of it: its stars and times, and that it is deleted."""
    told = item.context or {}
    created = instant(told["created_at"])
    yield Review(
        review_id=told["review_id"],
        product=told["product"],
        rating=told["rating"],
        rating_max=told["rating_max"],
        created_at=created,
        deleted_at=max(item.seen_at, created),
    )
