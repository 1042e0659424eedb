"""Google Play: what a review says, when it was written, and how refusals are told apart."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from real import DATA, absent, bodies, objects
from recorded import Recorded, items_of

from muster.errors import RateLimited, Refused, SourceFailed
from muster.records import Item
from muster.sources import Window
from muster.sources import google_play as play
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = play.Options(name="play", platform="google_play", account="org.example.campus")


def review(*comments: Any, **user: Any) -> Any:
    said = {"text": "Fine", "starRating": 4, "lastModified": {"seconds": "1794000000"}, **user}
    return {"reviewId": "gp:1", "authorName": "", "comments": [*comments, {"userComment": said}]}


def mapped(body: Any, **context: Any) -> Any:
    (row,) = play.rows(Item("review", body, NOW, context), OPTIONS)
    return row


def test_a_tab_parts_title_and_text() -> None:
    assert (mapped(review()).title, mapped(review()).text) == (None, "Fine")
    row = mapped(review(text="Title\tBody\tmore"))
    assert (row.title, row.text) == ("Title", "Body more")
    assert mapped(review(text=" \tBody")).title is None


def test_the_words_are_the_members_own_not_a_translation() -> None:
    assert mapped(review(originalText="Gut")).text == "Gut"


def test_our_answer_is_found_wherever_it_stands() -> None:
    answer = {"developerComment": {"text": "Thanks", "lastModified": {"seconds": "1794003600"}}}
    assert mapped(review(answer)).replied_at == datetime.fromtimestamp(1794003600, UTC)
    assert mapped(review()).replied_at is None
    assert mapped(review()).author_id is None


def test_an_edit_keeps_the_first_date() -> None:
    first = datetime.fromtimestamp(1793000000, UTC)
    row = mapped(review(), first=first.isoformat())
    assert (row.created_at, row.edited_at) == (first, datetime.fromtimestamp(1794000000, UTC))
    assert mapped(review()).edited_at is None


@pytest.mark.parametrize("stars", [0, 6])
def test_stars_that_do_not_exist_are_refused(stars: int) -> None:
    with pytest.raises(Refused, match="stars"):
        mapped(review(starRating=stars))


def api(status: int, reason: str) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "ya29.x", "expires_in": 3599})
        error = {"code": status, "message": "no", "errors": [{"reason": reason}]}
        return httpx.Response(status, json={"error": error})

    http = Http(httpx.MockTransport(answer), clock=lambda: NOW, patience=1)
    return play.connect(OPTIONS, Recorded("google_play").secret, http)


def test_a_403_is_either_too_fast_or_a_right_that_is_missing() -> None:
    with pytest.raises(RateLimited):
        play.check(api(403, "rateLimitExceeded"), OPTIONS)
    with pytest.raises(SourceFailed, match="Reply to reviews"):
        play.check(api(403, "permissionDenied"), OPTIONS)


def asked_for(now: datetime, cursor: Any = None) -> tuple[list[str | None], Any]:
    """The pages asked for of a list with a review a day, and the last cursor."""
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "ya29.x", "expires_in": 3599})
        asked.append(request.url.params.get("token"))
        age = int(asked[-1] or 0)
        at = {"seconds": str(int((NOW - timedelta(days=age)).timestamp()))}
        more = {"tokenPagination": {"nextPageToken": str(age + 1)}} if age < 6 else {}
        return httpx.Response(200, json={"reviews": [review(lastModified=at)], **more})

    http = Http(httpx.MockTransport(answer), clock=lambda: now)
    api = play.connect(OPTIONS, Recorded("google_play").secret, http)
    pages = list(play.pages(api, Window(OPTIONS, now, cursor or {})))
    return asked, pages[-1].cursor


def test_all_seven_days_are_read_once_a_day_and_one_day_else() -> None:
    all_pages, cursor = asked_for(NOW)
    assert len(all_pages) == 7
    assert asked_for(NOW + timedelta(hours=1), cursor)[0] == [None, "1", "2"]
    assert len(asked_for(NOW + timedelta(days=1), cursor)[0]) == 7


def test_a_review_is_looked_up_only_while_it_is_listed() -> None:
    one = Recorded("google_play")
    wire = one.wire()
    items = items_of(one.pages(wire))
    looked_up = [call.split("/")[-1] for call in wire.asked if "/reviews/" in call]
    assert sorted(looked_up) == ["gp:2", "gp:3"]
    (gone,) = [row for item in items if item.stream == "gone" for row in play.rows(item, OPTIONS)]
    assert (gone.review_id, gone.rating, gone.text) == ("gp:2", 5, None)
    assert gone.deleted_at == NOW


def test_reviews_of_another_app_are_not_looked_up_under_this_one() -> None:
    """Nor told as gone, where ``account`` of the source was changed."""
    one = Recorded("google_play")
    window = one.window()
    before = [replace(known, product="org.example.before") for known in window.reviews()]
    told = replace(window, reviews=lambda: before)
    items = items_of(play.pages(one.api(one.wire()), told))
    assert not [item for item in items if item.stream == "gone"]


def fields(value: Any, schema: str, schemas: Any) -> Iterator[str]:
    """What a recorded value has and its schema does not."""
    told = schemas[schema]["properties"]
    for name, found in value.items():
        if name not in told:
            yield f"{schema}.{name}"
        elif kind := told[name].get("$ref"):
            yield from fields(found, kind, schemas)
        elif kind := told[name].get("items", {}).get("$ref"):
            for one in found:
                yield from fields(one, kind, schemas)


@absent
def test_what_is_recorded_and_read_is_in_the_description_of_the_api() -> None:
    raw = (DATA / "specs" / "androidpublisher.v3.json.xz").read_bytes()
    spec = json.loads(lzma.decompress(raw))
    methods = spec["resources"]["reviews"]["methods"]
    for exchange in Recorded("google_play").told["exchanges"]:
        asked, body = exchange["request"], exchange["response"]["body"]
        if exchange["response"]["status"] == 200 and "/reviews" in asked["path"]:
            is_list = asked["path"].endswith("/reviews")
            method = methods["list" if is_list else "get"]
            assert set(asked.get("query", {})) <= set(method["parameters"])
            path = method["path"].format(packageName=OPTIONS.account, reviewId="gp:3")
            assert asked["path"] == f"/{path}"
            assert not [*fields(body, method["response"]["$ref"], spec["schemas"])]
    assert play.SCOPE in spec["auth"]["oauth2"]["scopes"]


@absent
def test_every_recorded_review_is_a_row() -> None:
    is_review = lambda one: "reviewId" in one and "comments" in one  # noqa: E731
    real = [one for _, body in bodies("google_play") for one in objects(body, is_review)]
    if not real:
        pytest.skip("no recorded reviews of Google Play")
    for told in real:
        row = mapped(told)
        said = next(one["userComment"] for one in told["comments"] if "userComment" in one)
        assert (row.review_id, row.rating) == (told["reviewId"], said["starRating"])
        assert row.created_at.timestamp() // 1 == int(said["lastModified"]["seconds"])
