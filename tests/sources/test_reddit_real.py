"""Reddit: every post and comment of real answers as rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from real import Exchange, absent, exchanges, within

from muster.records import Deletion, Item, Message, Thread
from muster.sources import _reddit_trees as trees
from muster.sources import reddit
from muster.sources._answer import Answer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = reddit.Options(name="r", platform="reddit", account="r/example")


@cache
def real() -> tuple[Exchange, ...]:
    return tuple(exchanges("reddit", "praw", host="reddit.com", status=None))


def things() -> list[Mapping[str, Any]]:
    """Every post and public comment, of whatever call; those of an inbox tell no ``link_id``."""
    found = [one for told in real() for one in within(told.body) if one.get("kind") in ("t1", "t3")]
    data = [one for one in found if isinstance(one.get("data"), dict)]
    return [one for one in data if one["kind"] == "t3" or "link_id" in one["data"]]


def rows(thing: Any) -> list[Any]:
    return list(reddit.rows(Item("thing", thing, NOW, {"is_ours": True}), OPTIONS))


@absent
def test_every_real_post_and_comment_is_a_row() -> None:
    read = things()
    assert len({one["data"]["name"] for one in read}) > 500
    for thing in read:
        told, found = thing["data"], rows(thing)
        (main,) = [row for row in found if isinstance(row, Message | Deletion)]
        assert main.message_id == told["name"]
        assert main.created_at.timestamp() == told["created_utc"]
        text = told["body"] if thing["kind"] == "t1" else told["selftext"]
        assert isinstance(main, Deletion) == (text in ("[deleted]", "[removed]"))
        if thing["kind"] == "t3":
            assert [row.title for row in found if isinstance(row, Thread)][0] is not None
        if isinstance(main, Message):
            assert_same(thing["kind"], told, main)


def assert_same(kind: str, told: Mapping[str, Any], main: Message) -> None:
    is_comment = kind == "t1"
    assert main.thread_id == (told["link_id"] if is_comment else told["name"])
    assert main.parent_id == (told["parent_id"] if is_comment else None)
    is_there = told["author"] not in (None, "[deleted]")
    assert main.author_id == ((told.get("author_fullname") or told["author"]) if is_there else None)
    assert (main.edited_at is not None) == isinstance(told.get("edited"), float)
    assert words(main.text or "") <= words(f"{told.get('title', '')} {told.get('body', '')} "
                                           f"{told.get('selftext', '')}")  # fmt: skip
    if is_comment and ">" not in told["body"] and "](" not in told["body"]:
        assert words(main.text or "") == words(told["body"])


def words(text: str) -> set[str]:
    """The words of a text, entities decoded: what no taking off of marks may change."""
    decoded = text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    return set(re.findall(r"\w+", re.sub(r"[*_`~]", "", decoded)))


@absent
def test_every_comment_of_a_real_page_is_found_however_deep() -> None:
    pages = [
        told for told in real() if re.match(r"/comments/\w+", told.path) and told.status == 200
    ]
    assert pages
    for told in pages:
        flat = list(trees._flat(trees._listed(told.body)))
        found = [one["data"]["name"] for one in flat if one["kind"] == "t1"]
        nested = {one["data"]["name"] for one in within(told.body) if one.get("kind") == "t1"}
        assert set(found) == nested and len(found) == len(nested)
        assert all(not isinstance(one["data"].get("replies"), dict) for one in flat)


@absent
def test_what_a_real_page_left_out_is_asked_for() -> None:
    left = [one for told in real() for one in within(told.body) if one.get("kind") == "more"]
    assert left
    for more in left:
        jobs = list(trees._left_out("t3_x", None, [more]))
        ids = [one for job in jobs if job[0] == "more" for one in job[2]]
        assert ids == more["data"]["children"] or jobs == [
            ["tree", "t3_x", more["data"]["parent_id"]]
        ]


@absent
def test_the_real_headers_are_read() -> None:
    limited = [told for told in real() if "x-ratelimit-reset" in told.headers]
    assert limited
    for told in limited:
        spent = {**told.headers, "x-ratelimit-remaining": "0.0"}
        assert reddit._pause(Answer(None, 200, spent, NOW)) == float(spent["x-ratelimit-reset"])
        is_left = float(told.headers["x-ratelimit-remaining"]) >= 1
        assert (reddit._pause(Answer(None, 200, told.headers, NOW)) is None) == is_left


@absent
def test_a_real_subreddit_is_counted() -> None:
    subs = [one for told in real() for one in within(told.body) if one.get("kind") == "t5"]
    assert subs
    for told in subs:
        found: list[Any] = list(reddit.rows(Item("subreddit", told, NOW), OPTIONS))
        told_now = told["data"]["subscribers"]
        assert [one.value for one in found] == ([] if told_now is None else [told_now])
