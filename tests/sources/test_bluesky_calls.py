"""Bluesky: which calls are made, from which mark, and what a missing post means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from bluesky_account import (
    DID,
    NOW,
    OPTIONS,
    OUR_DID,
    Answers,
    calls_to,
    fetch,
    network,
    post,
    reply,
    uri,
)
from recorded import Recorded, items_of, last_cursor

from muster.records import Audience, Deletion, Item, KnownMessage, Message
from muster.sources import Window, bluesky
from muster.sources._http import Http


def found(items: list[Item], kind: type = Message) -> list[Any]:
    read = [row for item in items for row in bluesky.rows(item, OPTIONS)]
    return [row for row in read if isinstance(row, kind)]


def test_followers_of_the_day() -> None:
    (audience,) = found(fetch(network())[1], Audience)
    assert audience == Audience(
        account=OUR_DID, metric="followers", measured_on=date(2026, 11, 20), value=12
    )


def feed_of(*posts: Any) -> Answers:
    return network(getAuthorFeed={"feed": [{"post": one} for one in posts]})


def test_threads_are_read_where_there_are_replies() -> None:
    busy = {**post("busy", OUR_DID), "replyCount": 2}
    quiet = {**post("quiet", OUR_DID), "replyCount": 0}
    elsewhere = {**post("else", OUR_DID, reply=reply(uri("r"), uri("p"))), "replyCount": 1}
    calls, _, _ = fetch(feed_of(busy, quiet, elsewhere))
    assert [query["uri"] for query in calls_to(calls, "getPostThread")] == [uri("busy", OUR_DID)]


def notices(*posts: Any, reason: str = "reply") -> dict[str, Any]:
    told = [{**one, "reason": reason, "isRead": False} for one in posts]
    return {"notifications": told}


def test_a_reply_to_an_old_post_of_ours_has_its_thread_read() -> None:
    late = post(reply=reply(uri("old", OUR_DID), uri("old", OUR_DID)))
    answers = network(listNotifications=notices(late), getPosts={"posts": [late]})
    calls, items, _ = fetch(answers)
    assert calls_to(calls, "getPostThread")[0]["uri"] == uri("old", OUR_DID)
    assert [row.message_id for row in found(items)] == [late["uri"]]


def test_likes_and_follows_are_not_posts() -> None:
    calls, _, _ = fetch(network(listNotifications=notices(post(), reason="like")))
    assert calls_to(calls, "getPosts") == []


def test_posts_of_notifications_are_asked_for_25_at_a_time() -> None:
    many = [post(f"k{number}") for number in range(60)]
    calls, _, _ = fetch(network(listNotifications=notices(*many)))
    assert [len(query["uris"]) for query in calls_to(calls, "getPosts")] == [25, 25, 10]


def test_a_thread_that_was_deleted_costs_nothing() -> None:
    root = {**post("r", OUR_DID), "replyCount": 1}
    body = {"error": "NotFound", "message": "Post not found"}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("getPostThread"):
            return httpx.Response(400, json=body)
        method = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json=feed_of(root)(method, {}))

    http = Http(transport=httpx.MockTransport(answer), clock=lambda: NOW)
    api = bluesky.connect(OPTIONS, "password", http)
    cursor = last_cursor(bluesky.pages(api, Window(OPTIONS, NOW, {})))
    assert cursor and cursor["threads"] == []


def test_threads_noted_before_a_kill_are_read_after_it() -> None:
    calls, _, cursor = fetch(network(), cursor={"threads": [uri("r", OUR_DID)]})
    assert calls_to(calls, "getPostThread")[0]["uri"] == uri("r", OUR_DID)
    assert cursor["threads"] == []


def test_deleted_and_blocked_posts_of_a_thread_are_passed_over() -> None:
    root = {**post("r", OUR_DID), "replyCount": 2}
    gone = {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri("g"), "notFound": True}
    below = {"post": post("below", reply=reply(root["uri"], uri("b"))), "replies": []}
    branch = {"post": post("b", reply=reply(root["uri"], root["uri"])), "replies": [below]}
    thread = {"thread": {"post": root, "replies": [gone, branch]}}
    answers = network(getAuthorFeed={"feed": [{"post": root}]}, getPostThread=thread)
    ids = {row.message_id for row in found(fetch(answers)[1])}
    assert ids == {root["uri"], uri("b"), uri("below")}


def test_posts_we_answered_are_read_with_our_answer() -> None:
    parent = post("p", text="who can help?")
    ours = post("a", OUR_DID, reply=reply(parent["uri"], parent["uri"]))
    view = {**parent, "$type": "app.bsky.feed.defs#postView"}
    entry = {"post": ours, "reply": {"root": view, "parent": view}}
    read = found(fetch(network(getAuthorFeed={"feed": [entry]}))[1])
    assert {row.message_id: row.direction for row in read} == {
        ours["uri"]: "outbound", parent["uri"]: "ambient"
    }  # fmt: skip


def test_the_feed_is_read_down_to_a_day_before_the_mark() -> None:
    times = ["2026-11-19T10:00:00Z", "2026-11-18T11:00:00Z", "2026-11-18T09:00:00Z",
             "2026-11-17T09:00:00Z"]  # fmt: skip
    posts = [post(f"k{n}", OUR_DID, at, at) for n, at in enumerate(times)]

    def feed(query: Mapping[str, Any]) -> Any:
        place = int(query.get("cursor", "0"))
        more = {"cursor": str(place + 1)} if place < 3 else {}
        return {"feed": [{"post": posts[place]}], **more}

    calls, _, cursor = fetch(network(getAuthorFeed=feed))
    assert len(calls_to(calls, "getAuthorFeed")) == 4
    asked = calls_to(fetch(network(getAuthorFeed=feed), cursor=cursor)[0], "getAuthorFeed")
    assert [query.get("cursor") for query in asked] == [None, "1", "2"]


def test_only_the_window_is_read() -> None:
    times = ["2026-11-19T10:00:00Z", "2026-11-18T11:00:00Z", "2026-11-17T09:00:00Z"]
    posts = [post(f"k{n}", OUR_DID, at, at) for n, at in enumerate(times)]
    since, until = datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC)
    read = found(fetch(feed_of(*posts), since=since, until=until)[1])
    assert [row.message_id for row in read] == [posts[1]["uri"]]


def test_search_asks_for_phrases_and_from_a_day_before_the_mark() -> None:
    options = OPTIONS.model_copy(update={"terms": ("campus vpn", "eduroam")})
    answers = network(searchPosts={"posts": [post()]})
    calls, items, cursor = fetch(answers, options)
    assert [query["q"] for query in calls_to(calls, "searchPosts")] == ['"campus vpn"', "eduroam"]
    assert {row.direction for row in found(items)} == {"ambient"}
    again = calls_to(fetch(answers, options, cursor)[0], "searchPosts")
    assert [query["since"] for query in again] == ["2026-11-18T10:00:00Z"] * 2


def known(key: str, days: float, did: str = DID) -> KnownMessage:
    return KnownMessage(uri(key, did), uri(key, did), NOW - timedelta(days=days))


def test_a_missing_post_is_a_deletion() -> None:
    messages = [known("gone", 3.5), known("there", 3.2)]
    answers = network(getPosts={"posts": [post("there")]})
    items = fetch(answers, known=lambda at: messages)[1]
    assert found(items, Deletion) == [
        Deletion(message_id=uri("gone"), created_at=messages[0].created_at, deleted_at=NOW)
    ]


def test_an_unreadable_answer_deletes_nothing() -> None:
    answers = network(getPosts={"posts": [post("there"), {"uri": 7}]})
    calls, items, _ = fetch(answers, known=lambda at: [known("gone", 3.5), known("there", 3.2)])
    assert calls_to(calls, "getPosts")
    assert not [item for item in items if item.stream == "gone"]


def test_roots_of_young_threads_are_looked_at_every_day() -> None:
    root = {**post("r", OUR_DID), "replyCount": 1}
    messages = [known("r", 5.5, OUR_DID), known("m", 5.5), known("old", 20.5, OUR_DID)]
    answers = network(getPosts={"posts": [root]})
    calls, _, _ = fetch(answers, known=lambda at: messages)
    assert calls_to(calls, "getPosts") == [{"uris": [root["uri"]]}]
    assert calls_to(calls, "getPostThread")


def test_a_post_comes_out_the_same_whichever_call_found_it() -> None:
    one = Recorded("bluesky")
    read: dict[str, list[Any]] = {}
    for item in items_of(one.pages(one.wire())):
        for row in bluesky.rows(item, one.options):
            if isinstance(row, Message):
                read.setdefault(row.message_id, []).append(row)
    repeated = [again for again in read.values() if len(again) > 1]
    assert len(repeated) >= 4
    assert all(row == again[0] for again in repeated for row in again)
