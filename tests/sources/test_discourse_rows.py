"""Discourse: what each item becomes; and answers recorded from real forums."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from forum import START
from forum_lake import DAY, HOUR, OPTIONS, Lake
from make_discourse_recording import small_forum
from recorded import Rows, items_of

from muster.errors import Unavailable
from muster.records import Item
from muster.sources import Window, discourse
from muster.sources._answer import Answer
from muster.sources._http import Http

ANSWERS = (
    Path(__file__).parents[2] / ".." / "shared" / "data" / "recordings" / "discourse_api.tar.xz"
)


# ---- mapping -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Rows:
    return Lake(small_forum()).fetch(START + 240 * HOUR).rows


def test_a_post_becomes_a_message(small: Rows) -> None:
    assert small[("messages", "50")] == {
        "message_id": "50", "thread_id": "1", "parent_id": "48", "author_id": "11",
        "author_role": "member", "created_at": START + 3 * HOUR, "edited_at": None,
        "deleted_at": None, "kind": "reply", "direction": "inbound",
        "channel": "Accounts & access", "tags": (), "url": "https://forum.example.org/t/1/4",
        "lang": None, "text": "Works, thanks", "is_solution": False, "likes": 3, "reposts": 0,
        "replies": 0, "views": 3, "sentiment": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "likes"),
    [
        ({"actions_summary": [{"id": 2, "count": 3}, {"id": 8, "count": 9}]}, 3),
        ({"actions_summary": [{"id": 2, "count": 3}], "reactions": [
            {"id": "heart", "count": 3}, {"id": "tada", "count": 2}]}, 5),
        ({"actions_summary": None, "reactions": None}, 0),
    ],
)  # fmt: skip
def test_every_kind_of_reaction_counts(fields: Any, likes: int) -> None:
    post = {**small_forum().posts[50], **fields}
    (message, _) = discourse.rows(Item("post", post, START), OPTIONS)
    assert message.likes == likes  # type: ignore[union-attr]


def test_roles_and_directions(small: Rows) -> None:
    found = {
        id_: (small[("messages", id_)]["author_role"], small[("messages", id_)]["direction"])
        for id_ in ("3", "5", "48")
    }
    assert found == {
        "3": ("bot", "inbound"), "5": ("member", "inbound"), "48": ("staff", "outbound"),
    }  # fmt: skip


def test_quotes_of_others_are_left_out(small: Rows) -> None:
    assert small[("messages", "48")]["text"] == "Try now"


def test_notes_whispers_and_hidden_posts_are_no_messages(small: Rows) -> None:
    assert not {("messages", "99"), ("messages", "120"), ("messages", "121")} & small.keys()


def test_an_own_deletion_is_a_deletion(small: Rows) -> None:
    assert small[("deletions", "121")]["deleted_at"] == START + 203 * HOUR


def test_a_lost_author_leaves_the_message(small: Rows) -> None:
    assert small[("messages", "101")]["author_id"] is None
    assert small[("messages", "101")]["text"] == "Wi-Fi?"


def test_a_topic_becomes_a_thread(small: Rows) -> None:
    assert small[("threads", "2")] == {
        "thread_id": "2", "title": "Question &amp; more 2", "channel": "Accounts & access",
        "url": "https://forum.example.org/t/topic-2/2", "tags": ("printer",),
        "created_at": START + 2 * HOUR, "closed_at": START + 6 * HOUR, "solved_at": None,
        "solved_by": "1", "priority": None, "views": 12,
    }  # fmt: skip
    assert small[("threads", "1")]["tags"] == ("vpn",)
    assert small[("threads", "1")]["closed_at"] is None


def test_members_by_list_and_by_post(small: Rows) -> None:
    anna, mail, bot = (small[("members", id_)] for id_ in ("11", "14", "-1"))
    assert (anna["handle"], anna["role"], anna["is_bot"]) == ("anna", "member", False)
    assert anna["joined_at"] == START - 30 * DAY + 11 * HOUR
    assert mail["joined_at"] is None
    assert (bot["role"], bot["is_bot"]) == ("bot", True)
    assert small[("members", "1")]["display_name"] == "Help Desk"


def test_who_takes_the_name_back_is_shown_by_the_handle() -> None:
    """As a forum shows it: whoever is made anonymous does not keep the old name in the lake."""
    at = "2026-11-20T01:00:00.000Z"
    gone = {"id": 11, "username": "anon81", "name": None, "created_at": at, "admin": False}
    untold = {key: value for key, value in gone.items() if key != "name"}
    assert [member.display_name for member in mapped([gone, untold], "user")] == ["anon81", None]


@pytest.mark.parametrize("name", ["users_count", "user_count"])
def test_the_number_of_members_is_the_audience(name: str) -> None:
    item = Item("about", {"about": {"stats": {name: 42}}}, datetime(2026, 11, 20, 1, tzinfo=UTC))
    (row,) = discourse.rows(item, OPTIONS)
    assert (row.account, row.metric, row.value, row.measured_on) == (  # type: ignore[union-attr]
        "forum.example.org", "members", 42, date(2026, 11, 20),
    )  # fmt: skip


# ---- answers recorded from real forums ---------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    if not ANSWERS.exists():
        pytest.skip("the shared recordings are not there")
    with tarfile.open(ANSWERS) as archive:
        found = {Path(member.name).stem: archive.extractfile(member) for member in archive}
        return {name: json.load(file) for name, file in found.items() if file}


def mapped(bodies: Iterable[Any], stream: str) -> list[Any]:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return [row for body in bodies for row in discourse.rows(Item(stream, body, at), OPTIONS)]


@pytest.mark.parametrize(
    ("name", "messages"), [("posts_before", 3), ("posts_latest", 4), ("topic", 3), ("post", 1)]
)
def test_recorded_posts_are_mapped(recorded: dict[str, Any], name: str, messages: int) -> None:
    body = recorded[name]
    posts = body.get("latest_posts") or body.get("post_stream", {}).get("posts") or [body]
    rows = [row for row in mapped(posts, "post") if hasattr(row, "text")]
    assert len(rows) == messages
    assert all(row.text and "<" not in row.text for row in rows if row.text)
    assert all(row.created_at.tzinfo is UTC for row in rows)


def test_recorded_topics_and_users_are_mapped(recorded: dict[str, Any]) -> None:
    topics = recorded["latest"]["topic_list"]["topics"]
    assert [row.title for row in mapped(topics, "topic")] == [topic["title"] for topic in topics]
    users = mapped(recorded["user_list"], "user")
    assert {user.role for user in users} <= {"staff", "member", "bot"}
    assert all(user.joined_at for user in users)


def test_recorded_pages_are_walked(recorded: dict[str, Any]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        names = {"/posts.json": "posts_latest", "/latest.json": "latest"}
        names["/admin/users/list/active.json"] = "user_list"
        name = names.get(request.url.path)
        if request.url.path == "/about.json":
            return httpx.Response(200, json={"about": {"stats": {"user_count": 3}}})
        return httpx.Response(200, json=recorded[name]) if name else httpx.Response(404, json={})

    api = discourse.connect(OPTIONS, "k", Http(transport=httpx.MockTransport(answer)))
    window = Window(OPTIONS, datetime(2026, 11, 20, tzinfo=UTC), {})
    items = items_of(discourse.pages(api, window))
    assert {item.stream for item in items} == {"about", "post", "topic", "user"}
    for item in items:
        assert list(discourse.rows(item, OPTIONS))


def test_an_answer_of_any_shape_only_costs_itself() -> None:
    body = {"latest_posts": None, "topic_list": [], "about": 3}
    http = Http(transport=httpx.MockTransport(lambda request: ok(body)))
    window = Window(OPTIONS, START, {"post": 3, "synced_at": START.isoformat()})
    assert list(discourse.pages(discourse.connect(OPTIONS, "k", http), window))[-1].cursor
    assert discourse.check(discourse.connect(OPTIONS, "k", http), OPTIONS)


def test_an_answer_that_holds_no_list_of_posts_is_no_empty_page() -> None:
    for body in ([], None, 7, "x", {"error": "gateway"}):
        http = Http(transport=httpx.MockTransport(lambda request, body=body: ok(body)))
        window = Window(OPTIONS, START, {"post": 3, "synced_at": START.isoformat()})
        with pytest.raises(Unavailable, match="no list of posts"):
            list(discourse.pages(discourse.connect(OPTIONS, "k", http), window))
        assert discourse.check(discourse.connect(OPTIONS, "k", http), OPTIONS)


def ok(body: Any) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return httpx.Response(200, headers=headers, content=json.dumps(body).encode())


def test_the_hint_of_an_answer_without_a_body_is_none() -> None:
    assert discourse._wait(Answer({}, 200, {}, START)) is None
