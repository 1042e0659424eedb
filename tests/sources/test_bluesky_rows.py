"""Bluesky: what a post and its author become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bluesky_account import AT, DID, OUR_DID, post, reply, rows, uri
from hypothesis import given
from hypothesis import strategies as st

from muster.records import Member, Message


def message(body: Any) -> Message:
    return next(row for row in rows(body) if isinstance(row, Message))


def member(body: Any) -> Member:
    return next(row for row in rows(body) if isinstance(row, Member))


def facet(kind: str, **feature: str) -> Any:
    told = {"$type": f"app.bsky.richtext.facet#{kind}", **feature}
    return {"index": {"byteStart": 0, "byteEnd": 5}, "features": [told]}


def test_a_post_and_its_author() -> None:
    counts = {"likeCount": 1, "repostCount": 2, "quoteCount": 3, "replyCount": 4}
    author = {**post()["author"], "createdAt": "2024-02-01T08:00:00.000Z"}
    assert rows({**post(), **counts, "author": author}) == [
        Message(
            message_id=uri("3k"), thread_id=uri("3k"), author_id=DID, direction="ambient",
            created_at=datetime(2026, 11, 19, 10, tzinfo=UTC), lang="en", text="hello",
            url="https://bsky.app/profile/mira.example.org/post/3k", likes=1, reposts=5, replies=4,
        ),
        Member(member_id=DID, handle="mira.example.org", display_name="Mira",
               joined_at=datetime(2024, 2, 1, 8, tzinfo=UTC)),
    ]  # fmt: skip


def test_a_reply_stands_in_its_root_s_thread() -> None:
    found = message(post(reply=reply(uri("root"), uri("parent"))))
    assert (found.thread_id, found.parent_id) == (uri("root"), uri("parent"))
    assert found.kind == "reply"


@pytest.mark.parametrize(
    ("record", "direction"),
    [
        ({}, "ambient"),
        ({"reply": reply(uri("r"), uri("p"))}, "ambient"),
        ({"reply": reply(uri("r", OUR_DID), uri("p"))}, "inbound"),
        ({"reply": reply(uri("r"), uri("p", OUR_DID))}, "inbound"),
        ({"facets": [facet("mention", did=OUR_DID)]}, "inbound"),
        ({"facets": [facet("mention", did="did:plc:else")]}, "ambient"),
        ({"text": "is @Desk.example.org open?"}, "inbound"),
        ({"text": "@desk.example.org."}, "inbound"),
        ({"text": "@desk.example.org.uk and @my.desk.example.org"}, "ambient"),
        ({"embed": {"record": {"uri": uri("r", OUR_DID)}}}, "ambient"),
    ],
)
def test_direction(record: Any, direction: str) -> None:
    assert message(post(**record)).direction == direction
    assert message(post(did=OUR_DID, **record)).direction == "outbound"


@pytest.mark.parametrize(
    ("embed", "kind"),
    [
        ({"record": {"uri": uri("q")}}, "quote"),
        ({"record": {"record": {"uri": uri("q")}}, "media": {"images": []}}, "quote"),
        ({"record": {"uri": f"at://{DID}/app.bsky.feed.generator/cats"}}, "post"),
        ({"external": {"uri": "https://example.org"}}, "post"),
    ],
)
def test_quotes_are_posts_of_their_own_thread(embed: Any, kind: str) -> None:
    found = message(post(embed=embed))
    assert (found.kind, found.thread_id) == (kind, found.message_id)


@pytest.mark.parametrize(
    ("at", "indexed", "expected"),
    [
        ("2026-11-19T10:00:00Z", "2026-11-19T10:00:01Z", "2026-11-19T10:00:00+00:00"),
        ("2026-11-18T11:00:00Z", "2026-11-19T10:00:00Z", "2026-11-18T11:00:00+00:00"),
        ("2019-01-01T00:00:00Z", "2026-11-19T10:00:00Z", "2026-11-19T10:00:00+00:00"),
        ("2031-01-01T00:00:00Z", "2026-11-19T10:00:00Z", "2026-11-19T10:00:00+00:00"),
        ("2026-11-19T12:00:00+02:00", "2026-11-19T10:00:00Z", "2026-11-19T10:00:00+00:00"),
    ],
)
def test_a_declared_time_is_believed_for_a_day(at: str, indexed: str, expected: str) -> None:
    assert message(post(at=at, indexed=indexed)).created_at.isoformat() == expected


@given(st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)))
def test_no_message_is_later_than_it_was_seen(at: datetime) -> None:
    found = message(post(at=at.isoformat()))
    assert timedelta(0) <= datetime.fromisoformat(AT) - found.created_at <= timedelta(days=1)


@pytest.mark.parametrize(
    "embed",
    [
        {"images": [{"alt": "one"}, {"alt": ""}, {"alt": "two"}]},
        {"record": {"record": {"uri": uri("q")}}, "media": {"images": [{"alt": "one"},
                                                                      {"alt": "two"}]}},
        {"alt": "one\ntwo", "video": {}},
    ],
)  # fmt: skip
def test_a_post_without_words_says_what_its_pictures_show(embed: Any) -> None:
    assert message(post(text="", embed=embed)).text == "one\ntwo"
    assert message(post(text="words", embed=embed)).text == "words"


def test_tags_of_text_and_record() -> None:
    tagged = post(facets=[facet("tag", tag="wifi"), facet("link", uri="x")], tags=["vpn", "wifi"])
    assert message(tagged).tags == ("wifi", "vpn")


def test_language_falls_back_to_the_source_s() -> None:
    assert message(post(langs=[])).lang == "de"


def labelled(value: str, **fields: Any) -> Any:
    body = post()
    return {**body, "author": {**body["author"], "labels": [{"val": value, **fields}]}}


def test_bots_by_their_label() -> None:
    assert message(labelled("bot")).author_role == "bot"
    assert member(labelled("bot")).is_bot
    assert message(labelled("bot", neg=True)).author_role == "member"


def test_who_wants_no_public_showing_is_kept_without_content() -> None:
    body = labelled("!no-unauthenticated")
    found, author = message(body), member(body)
    assert (found.text, found.url, found.tags) == (None, None, ())
    assert (author.handle, author.display_name) == (None, None)
    assert found.author_id == author.member_id == DID


def test_an_unusable_handle_is_replaced_by_the_did() -> None:
    body = {**post(), "author": {"did": DID, "handle": "handle.invalid"}}
    assert message(body).url == f"https://bsky.app/profile/{DID}/post/3k"


def test_reposts_and_pins_in_our_feed_are_left_out() -> None:
    for reason in ("reasonRepost", "reasonPin"):
        entry = {"post": post(), "reason": {"$type": f"app.bsky.feed.defs#{reason}"}}
        assert rows(entry, "feed") == []
    assert rows({"post": post()}, "feed") == rows(post())


@pytest.mark.parametrize(
    "body",
    [None, {}, "text", 7, {"id": {"no": "id"}}, {**post(), "uri": "https://x"},
     {**post(), "uri": None}, post(at="yesterday"), {**post(), "record": None}],
)  # fmt: skip
def test_an_unknown_shape_is_refused(body: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        rows(body)
