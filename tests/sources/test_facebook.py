"""Facebook: what posts, comments, messages and reviews become, and which calls are made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from recorded import items_of, last_cursor

from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Item, KnownMessage, Message, Review
from muster.sources import Window, facebook
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = facebook.Options(name="fb", platform="facebook", account="desk", since=date(2026, 11, 10))
PAGE = {"id": "1", "name": "Desk", "followers_count": 12, "access_token": "of the page"}


def post(number: int = 5, days: float = 1, comments: int = 0, **more: Any) -> dict[str, Any]:
    at = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S+0000")
    return {
        "id": f"1_{number}", "created_time": at, "message": "hello", "from": {"id": "1"},
        "comments": {"data": [], "summary": {"total_count": comments}}, **more,
    }  # fmt: skip


class Meta:
    """Answers by path; notes what is asked for."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"/desk": PAGE, "/1": PAGE, **answers}
        self.calls: list[tuple[str, dict[str, str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path.removeprefix("/v26.0"), dict(request.url.params)
        self.calls.append((path, query))
        found = self.answers.get(path, {"data": []})
        found = found(query) if callable(found) else found
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    def asked(self, path: str) -> list[dict[str, str]]:
        return [query for called, query in self.calls if called == path]

    def fetch(
        self, cursor: Any = None, options: Any = OPTIONS, **more: Any
    ) -> tuple[list[Item], Any]:
        http = Http(transport=httpx.MockTransport(self), clock=lambda: NOW)
        window = Window(options, more.pop("now", NOW), cursor or {}, **more)
        pages = list(facebook.pages(facebook.connect(options, "token", http), window))
        return items_of(pages), last_cursor(pages)


def rows(item: Item) -> list[Any]:
    return list(facebook.rows(item, OPTIONS))


def messages(items: list[Item]) -> dict[str, Message]:
    found = [row for item in items for row in rows(item) if isinstance(row, Message)]
    return {row.message_id: row for row in found}


def error(code: int, **more: Any) -> httpx.Response:
    return httpx.Response(400, json={"error": {"message": "no", "code": code, **more}})


def test_comments_are_read_only_where_their_number_has_changed() -> None:
    meta = Meta(**{"/1/feed": {"data": [post(5, comments=2), post(6)]}})
    _, cursor = meta.fetch()
    assert len(meta.asked("/1_5/comments")) == 1 and not meta.asked("/1_6/comments")
    meta.fetch(cursor)
    assert len(meta.asked("/1_5/comments")) == 1
    meta.answers["/1/feed"] = {"data": [post(5, comments=3), post(6)]}
    meta.fetch(cursor)
    assert len(meta.asked("/1_5/comments")) == 2


def test_comments_are_read_down_to_those_of_the_last_time() -> None:
    def comments(query: Mapping[str, str]) -> Any:
        last = int(query.get("after", 0))
        told = [
            {"id": f"5_{number}", "message": "x",
             "created_time": (NOW - timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%S+0000")}
            for number in range(last, last + 3)
        ]  # fmt: skip
        after = {"next": f"https://graph.facebook.com/x?access_token=t&after={last + 3}"}
        return {"data": told, "paging": after if last < 6 else {}}

    meta = Meta(**{"/1/feed": {"data": [post(5, 9, comments=9)]}, "/1_5/comments": comments})
    items, cursor = meta.fetch()
    assert set(messages(items)) == {"1_5", *(f"5_{number}" for number in range(9))}
    assert len(meta.asked("/1_5/comments")) == 3
    meta.answers["/1/feed"] = {"data": [post(5, 9, comments=10)]}
    meta.fetch(cursor)
    assert len(meta.asked("/1_5/comments")) == 5  # the second page is older than what was new


def test_views_are_asked_for_once_a_day() -> None:
    def views(query: Mapping[str, str]) -> Any:
        values = {"data": [{"name": "post_media_view", "values": [{"value": 90}]}]}
        return {one: {"insights": values} for one in query["ids"].split(",")}

    meta = Meta(**{"/1/feed": {"data": [post(5), post(6, **{"from": {"id": "7"}})]}, "/": views})
    items, cursor = meta.fetch()
    assert [messages(items)[one].views for one in ("1_5", "1_6")] == [90, None]
    assert [query["ids"] for query in meta.asked("/")] == ["1_5"]
    items, _ = meta.fetch(cursor)
    assert messages(items)["1_5"].views == 90 and len(meta.asked("/")) == 1
    meta.fetch(cursor, now=NOW + timedelta(days=1))
    assert len(meta.asked("/")) == 2


def test_without_the_right_to_insights_the_rest_is_read() -> None:
    refusing = error(10)
    meta = Meta(**{"/1/feed": {"data": [post(5)]}, "/": refusing, "/1/insights": refusing})
    assert messages(meta.fetch()[0])["1_5"].views is None


def test_one_unknown_metric_does_not_spoil_the_followers() -> None:
    def insights(query: Mapping[str, str]) -> Any:
        if query["metric"] != "page_follows":
            return error(100)
        values = [{"value": 12, "end_time": "2026-11-12T08:00:00+0000"}]
        return {"data": [{"name": "page_follows", "values": values}]}

    items, _ = Meta(**{"/1/insights": insights}).fetch()
    (told,) = [row for item in items if item.stream == "followers" for row in rows(item)]
    assert (told.measured_on, told.value, told.gained) == (date(2026, 11, 11), 12, None)


@pytest.mark.parametrize(
    ("end_time", "day"),
    [
        ("2026-11-20T08:00:00+0000", date(2026, 11, 19)),  # Pacific standard time
        ("2026-07-20T07:00:00+0000", date(2026, 7, 19)),  # and daylight saving time
    ],
)
def test_insights_are_of_the_pacific_day_that_ends(end_time: str, day: date) -> None:
    body = {"page_follows": {"value": 5, "end_time": end_time}}
    assert rows(Item("followers", body, NOW, {"us": "1", "ends": end_time})) == [
        Audience(account="1", metric="followers", measured_on=day, value=5)
    ]


def test_a_day_that_cannot_be_read_costs_only_itself() -> None:
    values = [{"value": 4, "end_time": "2026-11-18T08:00:00+0000"}, "broken"]
    more = [{"value": {"DE": 3}, "end_time": "2026-11-18T08:00:00+0000"},
            {"value": {"DE": "x"}, "end_time": "2026-11-19T08:00:00+0000"}]  # fmt: skip

    def insights(query: Mapping[str, str]) -> Any:
        if query["metric"] == "page_follows_country":
            return {"data": [{"name": "page_follows_country", "values": more}]}
        whole = {"name": "page_follows", "values": values[:1]}
        return {"data": [whole, {"name": "page_follows", "values": values}]}

    items, _ = Meta(**{"/1/insights": insights}).fetch()
    bodies = [item for item in items if item.stream == "followers"]
    told = [(row.segment, row.value) for row in rows(bodies[0])]
    assert told == [("all", 4), ("country=DE", 3)]
    for bad in bodies[1:]:
        with pytest.raises((KeyError, TypeError, ValueError)):
            rows(bad)


KNOWN = [KnownMessage("5_1", "1_5", NOW - timedelta(days=3))]


@pytest.mark.parametrize(
    ("answer", "deletions"),
    [
        (error(100, error_subcode=33), 1),
        (error(803), 1),
        (error(10), 0),
        (error(100, error_subcode=1), 0),
        ({"5_1": {"id": "5_1", "created_time": "2026-11-17T12:00:00+0000"}}, 0),
    ],
)
def test_what_does_not_exist_any_more_is_a_deletion(answer: Any, deletions: int) -> None:
    items, _ = Meta(**{"/": answer}).fetch(known=lambda at: KNOWN)
    gone = [row for item in items if item.stream == "gone" for row in rows(item)]
    assert [one.message_id for one in gone] == ["5_1"] * deletions


def test_what_others_wrote_on_their_pages_is_not_looked_for_again() -> None:
    theirs = [KnownMessage("7_1", "7_1", NOW - timedelta(days=3))]
    meta = Meta()
    meta.fetch(known=lambda at: theirs)
    assert not meta.asked("/")


def test_private_messages_are_read_only_if_asked_for() -> None:
    meta = Meta(**{"/1/conversations": {"data": [{"id": "t", "updated_time": str(NOW)}]}})
    meta.fetch()
    assert not meta.asked("/1/conversations")
    meta.fetch(options=OPTIONS.model_copy(update={"direct": True}))
    assert len(meta.asked("/t/messages")) == 1


def test_a_backfill_reads_its_window() -> None:
    feed = {"data": [post(5, 1), post(6, 5), post(7, 20), post(8, 80)]}
    meta = Meta(**{"/1/feed": feed})
    since, until = NOW - timedelta(days=9), NOW - timedelta(days=2)
    items, _ = meta.fetch(since=since, until=until)
    assert set(messages(items)) == {"1_6"}
    assert meta.asked("/1/feed")[0]["until"] == str(int(until.timestamp()))
    (days,) = [one for one in meta.asked("/1/insights") if "page_follows," in one["metric"]]
    assert (days["since"], days["until"]) == ("2026-11-11", "2026-11-19")


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 3}]}'}, 180),
        ({"x-ad-account-usage": '{"acc_id_util_pct": 100, "reset_time_duration": 90}'}, 90),
        ({"x-app-usage": '{"call_count": 100}'}, 300),
        ({"x-app-usage": "no JSON"}, 300),
        ({}, 300),
    ],
)
@pytest.mark.parametrize("code", [4, 17, 32, 613, 80001])
def test_a_400_that_means_too_fast(headers: Any, wait: float, code: int) -> None:
    told = httpx.Response(400, json={"error": {"code": code}}, headers=headers)
    with pytest.raises(RateLimited) as caught:
        http = Http(transport=httpx.MockTransport(lambda _: told), clock=lambda: NOW, patience=1)
        facebook.connect(OPTIONS, "token", http)
    assert caught.value.seconds == wait


def test_requests_are_spaced_out_when_a_limit_is_nearly_used_up() -> None:
    slept: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        share = 74 if request.url.path.endswith("desk") else 75
        usage = {"x-app-usage": f'{{"call_count": {share}, "total_time": 3}}'}
        return httpx.Response(200, json={**PAGE, "data": []}, headers=usage)

    http = Http(transport=httpx.MockTransport(answer), clock=lambda: NOW, sleep=slept.append)
    api = facebook.connect(OPTIONS, "token", http)
    api.get("/1")
    assert slept == []
    api.get("/1")
    assert slept == [10]


def test_a_dead_token_is_said_and_not_shown() -> None:
    told = {"error": {"code": 190, "error_subcode": 463, "message": "Malformed token sec-ret-1"}}
    http = Http(transport=httpx.MockTransport(lambda _: httpx.Response(400, json=told)))
    with pytest.raises(SourceFailed, match=r"^fb: Meta does not take the token any more") as caught:
        facebook.connect(OPTIONS, "sec-ret-1", http)
    assert "sec-ret-1" not in str(caught.value)


def test_a_missing_permission_is_named() -> None:
    granted = [{"permission": "pages_read_engagement", "status": "granted"},
               {"permission": "read_insights", "status": "declined"}]  # fmt: skip
    meta = Meta(**{"/me/permissions": {"data": granted}})
    http = Http(transport=httpx.MockTransport(meta), clock=lambda: NOW)
    with pytest.raises(SourceFailed, match="pages_read_user_content, read_insights"):
        facebook.check(facebook.connect(OPTIONS, "token", http), OPTIONS)


def test_an_app_that_wants_proofs_gets_them() -> None:
    meta = Meta()
    secret = '{"access_token": "token", "app_secret": "an app\'s secret"}'
    http = Http(transport=httpx.MockTransport(meta), clock=lambda: NOW)
    facebook.connect(OPTIONS, secret, http).get("/1")
    proofs = [query["appsecret_proof"] for _, query in meta.calls]
    assert [len(one) for one in proofs] == [64, 64] and proofs[0] != proofs[1]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"recommendation_type": "positive"}, (1.0, 1.0)),
        ({"recommendation_type": "negative"}, (0.0, 1.0)),
        ({"rating": 4}, (4.0, 5.0)),
    ],
)
def test_recommendations_and_stars(told: Any, expected: Any) -> None:
    body = {"created_time": "2026-11-02T08:00:00+0000", "reviewer": {"id": "9"}, **told}
    review, member = rows(Item("review", body, NOW))
    assert isinstance(review, Review) and member.member_id == "9"
    assert (review.rating, review.rating_max) == expected
    assert review.review_id == "9:2026-11-02T08:00:00+0000"


def test_a_page_that_is_too_much_is_asked_for_in_halves() -> None:
    def feed(query: Mapping[str, str]) -> Any:
        if int(query["limit"]) > 30:
            return error(1, message="Please reduce the amount of data you're asking for")
        if "after" in query:
            return {"data": [post(6)]}
        return {"data": [post(5)], "paging": {"next": "https://g.example/?after=x"}}

    meta = Meta(**{"/1/feed": feed})
    assert set(messages(meta.fetch()[0])) == {"1_5", "1_6"}
    assert [query["limit"] for query in meta.asked("/1/feed")] == ["100", "50", "25", "25"]


def reviewed(*numbers: int) -> dict[str, Any]:
    return {"data": [
        {"created_time": (NOW - timedelta(days=one)).strftime("%Y-%m-%dT%H:%M:%S+0000"),
         "recommendation_type": "positive", "open_graph_story": {"id": str(one)}}
        for one in numbers
    ]}  # fmt: skip


@pytest.mark.parametrize(
    ("listed", "gone"),
    [
        (reviewed(1, 5), ["3"]),  # 40 is too old to be listed each time
        (reviewed(1, 3, 5), []),
        (reviewed(), []),
        ({"data": [*reviewed(1, 5)["data"], "unreadable"]}, []),
    ],
)
def test_a_review_that_is_listed_no_more_was_taken_back(listed: Any, gone: list[str]) -> None:
    known = [
        Review(review_id=str(one), rating=1, rating_max=1, created_at=NOW - timedelta(days=one))
        for one in (1, 3, 5, 40)
    ]
    meta = Meta(**{"/1/ratings": listed})
    items, _ = meta.fetch(reviews=lambda: known)
    found = [row for item in items if item.stream == "taken back" for row in rows(item)]
    assert [row.review_id for row in found if row.deleted_at == NOW] == gone
    items, _ = meta.fetch(reviews=lambda: known, since=NOW - timedelta(days=7))
    assert not [item for item in items if item.stream == "taken back"]


def test_a_page_that_gives_no_reviews_is_read_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    items, cursor = Meta(**{"/1/feed": {"data": [post(5)]}, "/1/ratings": error(100)}).fetch()
    assert set(messages(items)) == {"1_5"} and "reviews" not in cursor["streams"]
    assert "set reviews: false" in caplog.text
