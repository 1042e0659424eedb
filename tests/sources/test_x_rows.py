"""X: what a post and an account become."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from x_account import NOW, OPTIONS, US, post

from muster.records import Audience, Item, Member, Message
from muster.sources import x


def message(body: Any, options: x.Options = OPTIONS, **context: Any) -> Message:
    told = {"us": US, "handle": "mira", "is_under_ours": False, **context}
    (row,) = x.rows(Item("post", body, NOW, told), options)
    assert isinstance(row, Message)
    return row


def rows(body: Any) -> list[Any]:
    return list(x.rows(Item("post", body, NOW, {"us": US}), OPTIONS))


def test_a_post() -> None:
    metrics = {"retweet_count": 2, "reply_count": 3, "like_count": 4, "quote_count": 5,
               "bookmark_count": 6, "impression_count": 700}  # fmt: skip
    assert message(post(public_metrics=metrics)) == Message(
        message_id="50", thread_id="50", author_id="7", kind="post", direction="ambient",
        created_at=datetime(2026, 11, 19, 10, tzinfo=UTC), lang="en", text="hello",
        url="https://x.com/mira/status/50", likes=4, reposts=7, replies=3, views=700,
    )  # fmt: skip


OLD_NAMES = {
    "edit_history_tweet_ids": ["40", "50"],
    "referenced_tweets": [{"type": "replied_to", "id": "30"}],
    "note_tweet": {"text": "a long text", "entities": {"hashtags": [{"tag": "wifi"}]}},
    "public_metrics": {"retweet_count": 2, "reply_count": 3, "like_count": 4, "quote_count": 5},
}
NEW_NAMES = {
    "edit_history_post_ids": ["40", "50"],
    "referenced_posts": [{"type": "replied_to", "id": "30"}],
    "note_post": {"text": "a long text", "entities": {"hashtags": [{"tag": "wifi"}]}},
    "public_metrics": {"repost_count": 2, "reply_count": 3, "like_count": 4, "quote_count": 5},
}


def test_both_generations_of_names_say_the_same() -> None:
    old, new = post(**OLD_NAMES), post(**NEW_NAMES)
    del new["edit_history_tweet_ids"]
    found = message(old)
    assert message(new) == found
    assert (found.message_id, found.parent_id, found.text) == ("40", "30", "a long text")
    assert (found.kind, found.tags, found.reposts) == ("reply", ("wifi",), 7)


@pytest.mark.parametrize(
    ("fields", "context", "direction"),
    [
        ({"author_id": "1"}, {}, "outbound"),
        ({}, {}, "ambient"),
        ({"in_reply_to_user_id": "1"}, {}, "inbound"),
        ({"entities": {"mentions": [{"username": "desk", "id": "1"}]}}, {}, "inbound"),
        ({"text": "is @Desk open?"}, {}, "inbound"),
        ({"text": "is @desktop open? a@desk.org"}, {}, "ambient"),
        ({}, {"is_under_ours": True}, "inbound"),
        ({"entities": {"mentions": [{"username": "other", "id": "9"}]}}, {}, "ambient"),
    ],
)
def test_direction(fields: Any, context: Any, direction: str) -> None:
    assert message(post(**fields), **context).direction == direction


def test_our_own_posts_are_staffs() -> None:
    assert message(post(author_id="1")).author_role == "staff"
    assert message(post()).author_role == "member"


@pytest.mark.parametrize(
    ("references", "kind"),
    [
        ([], "post"),
        ([{"type": "quoted", "id": "3"}], "quote"),
        ([{"type": "quoted", "id": "3"}, {"type": "replied_to", "id": "4"}], "reply"),
    ],
)
def test_kind(references: Any, kind: str) -> None:
    assert message(post(referenced_tweets=references)).kind == kind


def test_a_plain_repost_is_left_out() -> None:
    assert rows(post(referenced_tweets=[{"type": "retweeted", "id": "3"}])) == []


def test_an_outdated_version_is_left_out() -> None:
    assert rows(post(edit_history_tweet_ids=["50", "51"])) == []


def snowflake(at: str) -> str:
    passed = datetime.fromisoformat(at) - datetime(2010, 11, 4, 1, 42, 54, 657000, UTC)
    return str((passed // timedelta(milliseconds=1)) << 22)


@pytest.mark.parametrize("told", ["2026-11-01T00:05:00.000Z", "2026-10-31T23:55:00.000Z"])
def test_an_edit_keeps_the_first_time_even_over_a_month_s_end(told: str) -> None:
    first, last = snowflake("2026-10-31T23:55:00Z"), snowflake("2026-11-01T00:05:00Z")
    found = message(post(id=last, edit_history_tweet_ids=[first, last], created_at=told))
    assert found.message_id == first
    assert found.created_at == datetime(2026, 10, 31, 23, 55, tzinfo=UTC)
    assert found.edited_at == datetime(2026, 11, 1, 0, 5, tzinfo=UTC)
    assert found.url == f"https://x.com/mira/status/{last}"


def test_entities_are_decoded_once_and_short_links_written_out() -> None:
    links = [
        {"url": "https://t.co/a", "expanded_url": "https://example.org/1"},
        {"url": "https://t.co/ab", "expanded_url": "https://example.org/2"},
    ]
    text = "&lt;b&gt; &amp;amp; https://t.co/ab https://t.co/a"
    found = message(post(text=text, entities={"urls": links}))
    assert found.text == "<b> &amp; https://example.org/2 https://example.org/1"


@pytest.mark.parametrize(("told", "lang"), [("fr", "fr"), ("und", "de"), ("qme", None)])
def test_language(told: str, lang: str | None) -> None:
    assert message(post(lang=told)).lang == lang


def test_a_post_whose_author_is_not_told() -> None:
    found = message(post(), handle=None)
    assert (found.author_id, found.url) == ("7", "https://x.com/i/status/50")


@pytest.mark.parametrize("body", [None, {}, "text", 7, {"id": {"no": "id"}}, post(id=50),
                                  post(created_at="yesterday"), post(text=None)])  # fmt: skip
def test_an_unknown_shape_is_refused(body: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        rows(body)


def test_the_account() -> None:
    user = {"id": "1", "username": "desk", "name": "Desk", "location": "Here",
            "created_at": "2015-09-01T07:00:00.000Z",
            "public_metrics": {"followers_count": 12}}  # fmt: skip
    assert list(x.rows(Item("account", user, NOW), OPTIONS)) == [
        Member(member_id="1", handle="desk", display_name="Desk", role="staff", location="Here",
               joined_at=datetime(2015, 9, 1, 7, tzinfo=UTC), links=()),
        Audience(account="1", metric="followers", measured_on=date(2026, 11, 20), value=12),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "links"),
    [
        (
            {
                "url": "https://t.co/a",
                "entities": {
                    "url": {
                        "urls": [{"url": "https://t.co/a", "expanded_url": "https://desk.example"}]
                    }
                },
            },
            ("https://desk.example",),
        ),
        ({"url": "https://t.co/a", "entities": {"description": {}}}, ("https://t.co/a",)),
        ({"url": ""}, ()),
    ],
)
def test_the_link_of_a_profile_is_written_out(told: Any, links: Any) -> None:
    user = {"id": "7", "username": "mira", **told}
    (member,) = x.rows(Item("user", user, NOW, {"us": {"id": "1"}}), OPTIONS)
    assert member.links == links
