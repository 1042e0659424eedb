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
    for private in ("anna@example.org", "Anna Muster", "order-7", "anna.jpg"):
        assert private not in stored


def test_a_key_is_needed() -> None:
    with pytest.raises(SourceFailed, match="API key"):
        trustpilot.connect(OPTIONS, None, Http())


BOTH = trustpilot.Options(
    name="trust", platform="trustpilot", account="example.org", reviews=("company", "products")
)
KEY_AND_SECRET = '{"client_id": "key-of-ours", "client_secret": "secret-of-ours"}'
PRODUCTS = "/v1/private/product-reviews"


def product_review(**fields: Any) -> Any:
    return {"id": "p1", "stars": 2, "content": "A wheel came off", "consumer": {"id": "c1"},
            "createdAt": "2026-11-17T09:00:00.286Z", "state": "published",
            "product": {"sku": "SKU-1", "name": "Toy car"}, **fields}  # fmt: skip


def product_row(body: Any) -> Any:
    (row,) = trustpilot.rows(Item("product_review", body, NOW, {}), BOTH)
    return row


def test_a_review_of_a_product() -> None:
    comment = {"comment": "Sorry", "createdAt": "2026-11-18T08:00:00Z"}
    row = product_row(product_review(firstCompanyComment=comment))
    assert (row.product, row.rating, row.rating_max, row.author_id) == ("SKU-1", 2, 5, "c1")
    assert (row.title, row.text, row.deleted_at) == (None, "A wheel came off", None)
    assert row.replied_at == datetime(2026, 11, 18, 8, tzinfo=UTC)
    assert product_row(product_review(product={"name": "Toy car"})).product == "Toy car"


@pytest.mark.parametrize("state", ["unpublished", "underModeration", "archived"])
def test_a_review_of_a_product_that_nobody_sees_keeps_its_stars_only(state: str) -> None:
    row = product_row(product_review(state=state))
    assert (row.rating, row.text, row.deleted_at) == (2, None, NOW)


def fetch_both(
    now: datetime, cursor: Any = None, known: Any = (), found: Any = ()
) -> tuple[list[str], Any]:
    """What is asked of a company without reviews whose two products have some, and the pages."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path, number = request.url.path, request.url.params.get("page")
        if path.endswith("/accesstoken"):
            assert request.headers["authorization"] == "Basic a2V5LW9mLW91cnM6c2VjcmV0LW9mLW91cnM="
            return httpx.Response(200, json={"access_token": "access-of-ours"})
        asked.append(f"{path}?{number}" if number else path)
        assert request.headers["apikey"] == "key-of-ours"
        if path.endswith("/find"):
            return httpx.Response(200, json={"id": "b1", "displayName": "Example"})
        if path == f"{PRODUCTS}/business-units/b1/reviews":
            assert request.headers["authorization"] == "Bearer access-of-ours"
            listed = {"1": [product_review()], "2": [product_review(id="p2")]}
            return httpx.Response(200, json={"productReviews": listed.get(number, [])})
        if path.endswith("/reviews"):
            return httpx.Response(200, json={"reviews": []})
        return httpx.Response(200 if path in found else 404, json=review(id=path.split("/")[-1]))

    http = Http(httpx.MockTransport(answer), clock=lambda: now)
    window = Window(BOTH, now, cursor or {}, reviews=lambda: known)
    pages = list(trustpilot.pages(trustpilot.connect(BOTH, KEY_AND_SECRET, http), window))
    return [call for call in asked if call.startswith(PRODUCTS) or "/v1/reviews" in call], pages


def test_the_whole_list_of_products_is_read_once_a_day() -> None:
    calls, pages = fetch_both(NOW)
    assert calls == [f"{PRODUCTS}/business-units/b1/reviews?{number}" for number in (1, 2, 3)]
    assert [item.body["id"] for item in items_of(pages)] == ["p1", "p2"]
    cursor = last_cursor(pages)
    assert fetch_both(NOW + timedelta(hours=1), cursor)[0] == []
    assert len(fetch_both(NOW + timedelta(days=1), cursor)[0]) == 3


def test_one_of_a_product_is_gone_if_neither_list_has_it() -> None:
    """A company's review from when ``account`` was its other name is still there."""
    at = NOW - timedelta(days=3, hours=1)
    known = [held("p9", at, product="SKU-9"), held("r9", at, product="www.example.org")]
    calls, pages = fetch_both(NOW, known=known, found=["/v1/reviews/r9"])
    assert calls[3:] == [f"{PRODUCTS}/p9", "/v1/reviews/p9", f"{PRODUCTS}/r9", "/v1/reviews/r9"]
    assert [item.stream for item in items_of(pages)][2:] == ["gone", "review"]


def test_one_of_a_product_is_let_be_where_products_are_not_read_any_more() -> None:
    known = [held("p9", NOW - timedelta(days=3, hours=1), product="SKU-9")]
    assert "gone" not in [item.stream for item in items_of(fetch(NOW, known=known)[1])]


def test_key_and_secret_are_a_key_too() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["apikey"])
        return httpx.Response(200, json={"id": "b1", "displayName": "Example"})

    for secret in ("key-of-ours", KEY_AND_SECRET):
        api = trustpilot.connect(OPTIONS, secret, Http(httpx.MockTransport(answer)))
        assert "Example" in trustpilot.check(api, OPTIONS)
    assert asked == ["key-of-ours", "key-of-ours"]
    with pytest.raises(SourceFailed, match="lacks client_id"):
        trustpilot.connect(OPTIONS, '{"client_secret": "secret-of-ours"}', Http())


def test_products_need_the_secret_too() -> None:
    with pytest.raises(SourceFailed, match="client_secret"):
        trustpilot.connect(BOTH, "key-of-ours", Http())


def test_an_access_without_products_says_which_module_is_missing() -> None:
    one = Recorded("trustpilot")
    is_private = lambda number, request, answer: (  # noqa: E731
        httpx.Response(403) if PRODUCTS in request.url.path else answer(request)
    )
    with pytest.raises(SourceFailed, match="Product Reviews"):
        trustpilot.check(one.api(one.wire(is_private)), one.options)


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
