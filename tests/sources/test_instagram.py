"""Instagram: what media, comments and messages become, and which calls are made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from recorded import Recorded, items_of, last_cursor

from muster.errors import SourceFailed
from muster.records import Audience, Item, KnownMessage, Member, Message
from muster.sources import Window, instagram
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = instagram.Options(name="ig", platform="instagram", account="desk", lang="de")
US = {"id": "17", "username": "desk"}
PAGE = {"id": "1", "access_token": "of the page", "instagram_business_account": US}


def at(days: float) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S+0000")


def media(number: int = 50, days: float = 1, comments: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "timestamp": at(days), "caption": "hello", "username": "desk",
            "comments_count": comments, "permalink": "https://ig.example/p", **more}  # fmt: skip


def comment(number: int = 60, days: float = 0.5, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "timestamp": at(days), "text": "hi", "username": "mira", **more}


def fetch(
    answers: Mapping[str, Any], cursor: Any = None, **more: Any
) -> tuple[list[str], list[Item], Any]:
    """The paths asked for, the items read, the last cursor."""
    told = {"/desk": PAGE, "/17": {**US, "followers_count": 3}, **answers}
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v26.0")
        calls.append(path)
        found = told.get(path, {"data": []})
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    http = Http(transport=httpx.MockTransport(answer), clock=lambda: NOW)
    window = Window(more.pop("options", OPTIONS), more.pop("now", NOW), cursor or {}, **more)
    pages = list(instagram.pages(instagram.connect(OPTIONS, "token", http), window))
    return calls, items_of(pages), last_cursor(pages)


def rows(item: Item) -> list[Any]:
    return list(instagram.rows(item, OPTIONS))


def message(body: Any, stream: str = "comment", **context: Any) -> Message:
    found = rows(Item(stream, body, NOW, {"us": US, "media": "50", **context}))[0]
    assert isinstance(found, Message)
    return found


def test_a_comment() -> None:
    body = comment(like_count=3, media={"id": "50", "permalink": "https://ig.example/p"})
    assert message(body) == Message(
        message_id="60", thread_id="50", parent_id="50", author_id="mira", kind="comment",
        direction="inbound", created_at=datetime(2026, 11, 20, tzinfo=UTC), lang="de", text="hi",
        url="https://ig.example/p", likes=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("who", "author", "role"),
    [
        ({"username": "desk"}, "desk", "staff"),
        ({"username": None, "from": {"id": "17"}}, "desk", "staff"),
        ({"username": None, "user": {"id": "17"}}, "desk", "staff"),
        ({"username": None, "from": {"id": "9", "username": "mira"}}, "mira", "member"),
        ({"username": None}, None, "member"),
    ],
)
def test_who_wrote_a_comment(who: Any, author: str | None, role: str) -> None:
    found = message(comment(**who))
    assert (found.author_id, found.author_role) == (author, role)
    assert found.direction == ("outbound" if role == "staff" else "inbound")


def test_replies_come_with_their_comment() -> None:
    below = {"data": [comment(61, username="desk"), comment(62, parent_id="60")]}
    body = comment(replies=below, media={"permalink": "https://ig.example/p"})
    found = rows(Item("comment", body, NOW, {"us": US, "media": "50"}))
    told = [row for row in found if isinstance(row, Message)]
    assert [one.kind for one in told] == ["comment", "reply", "reply"]
    assert {(one.thread_id, one.url) for one in told} == {("50", "https://ig.example/p")}
    assert [one.parent_id for one in told] == ["50", "60", "60"]


def test_a_medium_of_ours_and_one_that_tags_us() -> None:
    ours = message(media(comments=2), "media", is_ours=True, views=70)
    assert (ours.direction, ours.author_id, ours.views, ours.replies) == ("outbound", "desk", 70, 2)
    theirs = rows(Item("media", media(username="mira"), NOW, {"us": US, "is_ours": False}))
    assert isinstance(theirs[0], Message) and isinstance(theirs[1], Member)
    assert (theirs[0].direction, theirs[0].author_id) == ("inbound", "mira")


def test_all_comments_are_read_where_their_number_has_changed() -> None:
    listed = {"/17/media": {"data": [media(50, comments=1), media(51)]},
              "/50/comments": {"data": [comment()]}}  # fmt: skip
    calls, items, cursor = fetch(listed)
    assert [one for one in calls if one.endswith("/comments")] == ["/50/comments"]
    assert len([one for one in items if one.stream == "comment"]) == 1
    assert not [one for one in cursor["streams"] if one.startswith("comments:")]
    assert "/50/comments" not in fetch(listed, cursor)[0]
    listed["/17/media"] = {"data": [media(50, comments=2)]}
    assert "/50/comments" in fetch(listed, cursor)[0]


def test_more_than_fifty_replies_are_all_read() -> None:
    below = {"data": [comment(61)], "paging": {"next": "https://g.example/?after=x"}}
    listed = {"/17/media": {"data": [media(50, comments=3)]},
              "/50/comments": {"data": [comment(replies=below)]},
              "/60/replies": {"data": [comment(61), comment(62)]}}  # fmt: skip
    _, items, _ = fetch(listed)
    told = [row for one in items if one.stream == "comment" for row in rows(one)]
    parents = {row.message_id: row.parent_id for row in told if isinstance(row, Message)}
    assert parents == {"60": "50", "61": "60", "62": "60"}


def gone(items: list[Item]) -> list[str]:
    return [row.message_id for one in items if one.stream == "gone" for row in rows(one)]


def test_what_does_not_exist_any_more_is_a_deletion_but_no_medium_of_others() -> None:
    missing = httpx.Response(400, json={"error": {"code": 100, "error_subcode": 33}})
    known = [KnownMessage(one, thread, NOW - timedelta(days=3))
             for one, thread in (("60", "50"), ("80", "80"), ("m", "aWdfZAG"))]  # fmt: skip
    tagged = {"/17/tags": {"data": [media(80, 3, username="mira")]}, "/": missing}
    assert gone(fetch(tagged, known=lambda at: known)[1]) == ["60"]


def test_others_media_are_known_to_be_theirs_for_as_long_as_they_are_looked_at() -> None:
    tagged = {"/17/tags": {"data": [media(80, 3, username="mira"), media(81, 40, username="mira")]}}
    assert set(fetch(tagged)[2]["tags"]) == {"80"}


def test_a_story_is_a_post_of_ours_and_its_end_no_deletion() -> None:
    told = {"/17/stories": {"data": [media(90, 0.2, media_product_type="STORY")]}}
    _, items, cursor = fetch(told)
    (story,) = [row for one in items if one.stream == "media" for row in rows(one)]
    assert (story.message_id, story.direction, story.author_role) == ("90", "outbound", "staff")
    missing = httpx.Response(400, json={"error": {"code": 100, "error_subcode": 33}})
    known = [KnownMessage("90", "90", NOW - timedelta(days=0.2))]
    later = NOW + timedelta(days=2)
    calls, items, cursor = fetch({"/": missing}, cursor, now=later, known=lambda at: known)
    assert gone(items) == [] and "/" not in calls
    assert fetch({}, cursor, now=NOW + timedelta(days=40))[2]["stories"] == {}


def test_a_page_without_an_account_says_how_to_connect_one() -> None:
    with pytest.raises(SourceFailed, match="^ig: no Instagram account is connected to the page"):
        fetch({"/desk": {"id": "1", "access_token": "x"}})


def test_few_followers_have_no_countries() -> None:
    refusal = httpx.Response(400, json={"error": {"code": 100, "message": "not enough users"}})
    _, items, _ = fetch({"/17/insights": refusal})
    assert [one.stream for one in items] == ["account"]


def test_new_followers_stand_beside_the_total_of_their_day() -> None:
    told = [{"value": 6, "end_time": "2026-11-19T08:00:00+0000"},
            {"value": 5, "end_time": "2026-11-20T08:00:00+0000"}]  # fmt: skip
    body = {"data": [{"name": "follower_count", "values": told}]}
    context = {"us": US, "totals": {"2026-11-19": 90}}
    assert rows(Item("new", body, NOW, context)) == [
        Audience(
            account="17", metric="followers", measured_on=date(2026, 11, 19), value=90, gained=5
        )
    ]


def test_totals_are_kept_for_as_long_as_new_followers_may_be_told() -> None:
    before = {"followers": {"2026-11-10": 1, "2026-11-18": 2}}
    assert fetch({}, before)[2]["followers"] == {"2026-11-18": 2, "2026-11-20": 3}


def test_a_backfill_reads_its_window() -> None:
    listed = {"/17/media": {"data": [media(50, 1), media(51, 5, 1), media(52, 12, 1)]},
              "/51/comments": {"data": [comment(61, 1), comment(62, 4)]},
              "/52/comments": {"data": [comment(63, 4), comment(64, 11)]}}  # fmt: skip
    since, until = NOW - timedelta(days=9), NOW - timedelta(days=2)
    _, items, _ = fetch(listed, since=since, until=until)
    told = [row.message_id for one in items for row in rows(one) if isinstance(row, Message)]
    assert told == ["51", "62", "63"]


def test_a_message_comes_out_the_same_whichever_call_found_it() -> None:
    one = Recorded("instagram")
    found: dict[str, list[Any]] = {}
    for item in items_of(one.pages(one.wire())):
        for row in instagram.rows(item, one.options):
            if isinstance(row, Message):
                found.setdefault(row.message_id, []).append(row)
    repeated = [again for again in found.values() if len(again) > 1]
    assert len(repeated) >= 3
    assert all(row == again[0] for again in repeated for row in again)
