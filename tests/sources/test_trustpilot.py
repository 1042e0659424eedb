"""Trustpilot: what a review says, what is offline, and what is read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from real import absent, bodies, objects
from recorded import Recorded, items_of, last_cursor

from muster.errors import Refused, SourceFailed
from muster.records import Item, Review
from muster.sources import Window, trustpilot
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = trustpilot.Options(name="trust", platform="trustpilot", account="example.org")


def review(**fields: Any) -> Any:
    return {"id": "r1", "stars": 4, "title": "Good", "text": "Fast", "consumer": {"id": "c1"},
            "createdAt": "2026-11-10T09:00:00Z", "status": "active", **fields}  # fmt: skip


def mapped(body: Any, **context: Any) -> Any:
    (row,) = trustpilot.rows(Item("review", body, NOW, context), OPTIONS)
    return row


def test_a_review_with_our_reply() -> None:
    reply = {"text": "Thanks", "createdAt": "2026-11-11T08:00:00Z"}
    row = mapped(review(companyReply=reply, updatedAt="2026-11-12T08:00:00Z"))
    assert (row.rating, row.rating_max, row.author_id) == (4, 5, "c1")
    assert row.replied_at == datetime(2026, 11, 11, 8, tzinfo=UTC)
    assert row.edited_at == datetime(2026, 11, 12, 8, tzinfo=UTC)
    assert row.deleted_at is None


def test_one_that_is_offline_loses_its_words_and_keeps_since_when() -> None:
    row = mapped(review(status="flagged"))
    assert (row.title, row.text, row.rating, row.deleted_at) == (None, None, 4, NOW)
    since = NOW - timedelta(days=2)
    assert mapped(review(status="flagged"), offline_since=since.isoformat()).deleted_at == since


@pytest.mark.parametrize("stars", [0, 6])
def test_stars_that_do_not_exist_are_refused(stars: int) -> None:
    with pytest.raises(Refused, match="stars"):
        mapped(review(stars=stars))


def held(review_id: str, created_at: datetime, **fields: Any) -> Review:
    told = {"rating": 4, "rating_max": 5, "created_at": created_at, **fields}
    return Review(review_id=review_id, **told)


def fetch(now: datetime, cursor: Any = None, known: Any = ()) -> tuple[list[str], Any]:
    """Paths and pages asked for of a list with a page a week, and the pages."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page", 0))
        asked.append(f"{request.url.path}?{number}")
        if number == 0:
            return httpx.Response(200, json={"id": "b1", "displayName": "Example"})
        at = (NOW - timedelta(weeks=number - 1)).isoformat()
        found = [review(id=f"r{number}", createdAt=at, status="flagged")] if number < 9 else []
        return httpx.Response(200, json={"reviews": found})

    http = Http(httpx.MockTransport(answer), clock=lambda: now)
    window = Window(OPTIONS, now, cursor or {}, reviews=lambda: known)
    pages = list(trustpilot.pages(trustpilot.connect(OPTIONS, "key-of-ours", http), window))
    return [call for call in asked if call.endswith(tuple("123456789"))], pages


def test_thirty_days_are_read_again_once_a_day() -> None:
    calls, pages = fetch(NOW)
    assert len(calls) == 9
    cursor = last_cursor(pages)
    assert len(fetch(NOW + timedelta(hours=1), cursor)[0]) == 2
    assert len(fetch(NOW + timedelta(days=1), cursor)[0]) == 6


def test_since_when_one_is_offline_is_what_the_lake_knows() -> None:
    since = NOW - timedelta(days=3)
    known = [held("r1", NOW - timedelta(days=9), deleted_at=since)]
    items = items_of(fetch(NOW, known=known)[1])
    assert items[0].context == {"offline_since": since.isoformat(timespec="microseconds")}


def test_nothing_that_names_a_person_is_stored() -> None:
    one = Recorded("trustpilot")
    stored = repr(items_of(one.pages(one.wire())))
    for private in ("anna@example.org", "Anna Muster", "order-7"):
        assert private not in stored


def test_a_key_is_needed() -> None:
    with pytest.raises(SourceFailed, match="API key"):
        trustpilot.connect(OPTIONS, None, Http())


@absent
def test_every_recorded_review_is_a_row() -> None:
    is_review = lambda one: "stars" in one and "consumer" in one  # noqa: E731
    real = [one for _, body in bodies("trustpilot") for one in objects(body, is_review)]
    if not real:
        pytest.skip("no recorded reviews of Trustpilot")
    for told in real:
        row = mapped(told)
        assert (row.review_id, row.rating) == (told["id"], told["stars"])
        assert row.created_at == datetime.fromisoformat(told["createdAt"])
