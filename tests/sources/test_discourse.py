"""Discourse: what is read of a forum as it changes, and what each post becomes."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from forum import START, Forum
from hypothesis import given, settings
from hypothesis import strategies as st
from make_discourse_recording import small_forum
from recorded import Recorded, Rows, items_of, last_cursor, stored

from muster.errors import BadSettings, RateLimited
from muster.records import Item, KnownMessage, Page
from muster.sources import Window, discourse
from muster.sources._answer import Answer
from muster.sources._http import Http

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPTIONS = discourse.Options(
    name="forum", platform="discourse", base_url="https://forum.example.org"
)
ANSWERS = (
    Path(__file__).parents[2] / ".." / "shared" / "data" / "recordings" / "discourse_api.tar.xz"
)
MODES = ["window", "below", "exclusive"]


class Lake:
    """What was fetched so far of one forum, as the real lake would remember it."""

    def __init__(self, forum: Forum, options: discourse.Options = OPTIONS) -> None:
        self.forum, self.options = forum, options
        self.items: list[Item] = []
        self.cursor: dict[str, Any] = {}

    def pages(self, now: datetime, **bounds: Any) -> Iterable[Page]:
        api = discourse.connect(
            self.options, "key", Http(transport=self.forum, clock=lambda: now, sleep=no_sleep)
        )
        window = Window(self.options, now, self.cursor, known=self.known, **bounds)
        return discourse.pages(api, window)

    def fetch(self, now: datetime, **bounds: Any) -> Lake:
        for page in self.pages(now, **bounds):
            self.store(page)
        return self

    def store(self, page: Page) -> None:
        self.items += [stored(item) for item in page.items]
        self.cursor = json.loads(json.dumps(last_cursor([page]) or self.cursor))

    @property
    def rows(self) -> Rows:
        rows, refused = Recorded("discourse").rows(self.items)
        assert not refused
        return rows

    def known(self, at: datetime) -> Iterable[KnownMessage]:
        rows = self.rows
        messages = sorted(
            (row["created_at"], key[1], row["thread_id"])
            for key, row in rows.items()
            if key[0] == "messages" and ("deletions", key[1]) not in rows
        )
        return (KnownMessage(id_, topic, made) for made, id_, topic in messages if made >= at)

    def ids(self, table: str = "messages") -> set[str]:
        return {key[1] for key in self.rows if key[0] == table}

    def message(self, id_: int) -> dict[str, Any]:
        return self.rows[("messages", str(id_))]


def no_sleep(seconds: float) -> None:
    raise AssertionError("a forum in memory never asks to wait")


def forum_of(posts: int, step: int = 1, **options: Any) -> Forum:
    """A forum of one post an hour, ten a topic, every second a reply to the one before."""
    forum = Forum(**options)
    for user in (1, 2, 3):
        forum.join(user, f"user{user}", moderator=user == 1)
    for number in range(posts):
        topic, at = number // 10 + 1, START + number * HOUR
        if topic not in forum.topics:
            forum.open(topic, f"Topic {topic}", at)
        reply = {"reply_to_post_number": number % 10} if number % 2 else {}
        forum.write(
            (number + 1) * step, topic, number % 3 + 1, at, f"<p>Post {number}</p>", **reply
        )
    return forum


# ---- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("step", [1, 7])
def test_reads_every_post_whatever_before_means(mode: str, step: int) -> None:
    lake = Lake(forum_of(230, step, before=mode)).fetch(START + 300 * HOUR)
    assert lake.ids() == {str((n + 1) * step) for n in range(230)}
    assert len(lake.ids("threads")) == 23


@settings(max_examples=30, deadline=None)
@given(
    ids=st.sets(st.integers(1, 400), min_size=1, max_size=120),
    mode=st.sampled_from(MODES),
    stops=st.lists(st.integers(0, 12), max_size=4),
)
def test_stopped_anywhere_loses_and_doubles_nothing(
    ids: set[int], mode: str, stops: list[int]
) -> None:
    forum = Forum(before=mode, per_page=3)
    forum.join(1, "anna")
    for number, id_ in enumerate(sorted(ids)):
        topic, at = number // 4 + 1, START + number * HOUR
        if topic not in forum.topics:
            forum.open(topic, "t", at)
        forum.write(id_, topic, 1, at, "x", reply_to_post_number=number % 4 or None)
    now = START + 500 * HOUR
    broken = Lake(forum)
    for stop in stops:
        for count, page in enumerate(broken.pages(now)):
            broken.store(page)
            if count >= stop:
                break
    assert broken.fetch(now).rows == Lake(forum).fetch(now).rows
    assert broken.ids() == {str(id_) for id_ in ids}


def test_an_incremental_fetch_asks_for_new_windows_only() -> None:
    forum = forum_of(1000)
    lake = Lake(forum).fetch(START + 1001 * HOUR)
    forum.open(500, "New", START + 1002 * HOUR)
    forum.write(1001, 500, 2, START + 1002 * HOUR, "<p>new</p>")
    forum.asked.clear()
    lake.fetch(START + 1003 * HOUR)
    assert "1001" in lake.ids()
    assert sum("/posts.json?before" in one for one in forum.asked) <= 4


def test_a_post_that_became_visible_late_is_still_read() -> None:
    forum = forum_of(60)
    late = forum.posts.pop(58)
    lake = Lake(forum).fetch(START + 61 * HOUR)
    forum.posts[58] = late
    assert "58" in lake.fetch(START + 62 * HOUR).ids()


@pytest.mark.parametrize("mode", MODES)
def test_a_backfill_begins_near_since(mode: str) -> None:
    forum = forum_of(3000, before=mode)
    lake = Lake(forum).fetch(START + 3000 * HOUR, since=START + 2900 * HOUR)
    assert lake.ids() == {str(n) for n in range(2901, 3001)}
    assert sum("/posts.json" in one for one in forum.asked) < 15


def test_until_bounds_a_backfill_and_the_rest_is_read_later() -> None:
    forum = forum_of(300)
    lake = Lake(forum)
    lake.fetch(START + 300 * HOUR, since=START + 100 * HOUR, until=START + 150 * HOUR)
    assert lake.ids() == {str(n) for n in range(101, 151)}
    lake.fetch(START + 300 * HOUR)
    assert {str(n) for n in range(101, 301)} <= lake.ids()


def test_a_since_in_the_settings_is_no_backfill_every_time() -> None:
    forum = forum_of(1000)
    options = OPTIONS.model_copy(update={"since": date(2026, 11, 2)})
    lake = Lake(forum, options).fetch(START + 1000 * HOUR, since=START)
    forum.asked.clear()
    lake.fetch(START + 1001 * HOUR, since=START)
    assert sum("/posts.json?before" in one for one in forum.asked) <= 4


def test_newest_posts_that_are_private_hide_nothing() -> None:
    forum = forum_of(60)

    class Private(Forum):
        def _latest(self, before: int) -> list[dict[str, Any]]:
            return super()._latest(before) if before else []

    private = Private(posts=forum.posts, topics=forum.topics, users=forum.users)
    assert len(Lake(private).fetch(START + 61 * HOUR).ids()) == 60


# ---- edits and deletions -----------------------------------------------------------------------


def test_an_edit_in_a_topic_of_the_last_days_is_read() -> None:
    forum = forum_of(60)
    now = START + 60 * HOUR
    lake = Lake(forum).fetch(now)
    forum.edit(52, "<p>Better</p>", now)
    lake.fetch(now + HOUR)
    assert lake.message(52)["text"] == "Better"
    assert lake.message(52)["edited_at"] == now
    assert lake.message(51)["edited_at"] is None


def test_a_post_read_by_either_address_is_the_same_row() -> None:
    forum = forum_of(60, step=7)
    first = Lake(forum).fetch(START + 60 * HOUR)
    before = {key: row for key, row in first.rows.items() if key[0] != "audience"}
    after = first.fetch(START + 61 * HOUR).rows
    assert {key: row for key, row in after.items() if key[0] != "audience"} == before
    assert any("/t/5.json" in one for one in forum.asked)


def test_a_missing_post_is_a_deletion_at_the_time_it_was_missed() -> None:
    forum = forum_of(60)
    lake = Lake(forum).fetch(START + 60 * HOUR)
    forum.delete(55)
    now = START + 61 * HOUR
    lake.fetch(now)
    assert lake.rows[("deletions", "55")] == {
        "message_id": "55", "created_at": START + 54 * HOUR, "deleted_at": now,
    }  # fmt: skip
    assert lake.ids("deletions") == {"55"}
    assert lake.fetch(now + HOUR).rows[("deletions", "55")]["deleted_at"] == now


def test_a_post_moved_to_another_topic_is_not_deleted() -> None:
    forum = forum_of(60)
    lake = Lake(forum).fetch(START + 60 * HOUR)
    forum.posts[55].update(topic_id=1, post_number=11)
    lake.fetch(START + 61 * HOUR)
    assert lake.ids("deletions") == set()
    assert lake.message(55)["thread_id"] == "1"


def test_a_deleted_topic_deletes_its_posts_at_the_weekly_check() -> None:
    forum = forum_of(60)
    now = START + 60 * HOUR
    lake = Lake(forum).fetch(now)
    forum.delete_topic(2)
    assert lake.fetch(now + DAY).ids("deletions") == set()
    assert lake.fetch(now + 8 * DAY).ids("deletions") == {str(n) for n in range(11, 21)}


def test_a_deleted_topic_that_staff_still_sees_deletes_its_posts() -> None:
    forum = forum_of(60)
    now = START + 60 * HOUR
    lake = Lake(forum).fetch(now)
    forum.topics[2]["deleted_at"] = "2026-11-05T00:00:00.000Z"
    assert lake.fetch(now + 8 * DAY).ids("deletions") == {str(n) for n in range(11, 21)}


def test_a_topic_that_lists_no_ids_deletes_nothing() -> None:
    forum = forum_of(60)
    lake = Lake(forum).fetch(START + 60 * HOUR)

    class Mega(Forum):
        def _topic(self, parts: list[str], query: httpx.QueryParams) -> Any:
            body = super()._topic(parts, query)
            body["post_stream"].pop("stream", None)
            return body

    lake.forum = Mega(posts=forum.posts, topics=forum.topics, users=forum.users)
    lake.fetch(START + 60 * HOUR + 8 * DAY)
    assert lake.ids("deletions") == set()
    assert not any("/posts/" in one for one in lake.forum.asked)


def test_a_topic_of_old_activity_is_checked_once_a_week() -> None:
    forum = forum_of(200)
    now = START + 200 * HOUR
    lake = Lake(forum).fetch(now)
    forum.edit(3, "<p>Late edit</p>", now)
    forum.asked.clear()
    for day in range(1, 8):
        assert lake.message(3)["text"] == "Post 2"
        lake.fetch(now + day * DAY)
    assert lake.message(3)["text"] == "Late edit"
    assert sum(one.endswith("/t/1.json") for one in forum.asked) == 1


def test_an_answer_accepted_late_is_found_by_the_weekly_look() -> None:
    forum = forum_of(200)
    now = START + 200 * HOUR
    lake = Lake(forum).fetch(now)
    forum.posts[5]["accepted_answer"] = True
    forum.topics[1]["has_accepted_answer"] = True
    lake.fetch(now + 8 * DAY)
    assert lake.rows[("threads", "1")]["solved_by"] == "2"
    assert lake.message(5)["is_solution"]


def test_long_topics_are_read_again_in_chunks() -> None:
    forum = forum_of(10)
    forum.open(90, "Long", START)
    for number in range(300):
        forum.write(100 + number, 90, 2, START + number * HOUR, f"<p>{number}</p>")
    lake = Lake(forum).fetch(START + 300 * HOUR)
    forum.edit(160, "<p>edited</p>", START + 300 * HOUR)
    lake.fetch(START + 301 * HOUR)
    assert lake.message(160)["text"] == "edited"
    assert sum("/t/90/posts.json" in one for one in forum.asked) == 15


def test_what_was_just_read_is_not_read_again() -> None:
    forum = forum_of(60)
    lake = Lake(forum).fetch(START + 60 * HOUR)
    forum.open(90, "New", START + 60 * HOUR)
    forum.write(61, 90, 2, START + 60 * HOUR, "<p>q</p>")
    lake.fetch(START + 61 * HOUR)
    assert not any("/t/90" in one for one in forum.asked)


# ---- parents, solutions, members ---------------------------------------------------------------


def test_a_parent_of_an_earlier_fetch_is_asked_for_once() -> None:
    forum = forum_of(200)
    lake = Lake(forum).fetch(START + 201 * HOUR)
    for id_ in (201, 202):
        forum.write(id_, 1, 3, START + 202 * HOUR, "<p>late</p>", reply_to_post_number=4)
    forum.asked.clear()
    lake.fetch(START + 203 * HOUR)
    assert lake.message(201)["parent_id"] == lake.message(202)["parent_id"] == "4"
    assert sum("/t/1/4.json" in one for one in forum.asked) == 1


def test_parents_are_the_posts_of_those_numbers() -> None:
    lake = Lake(forum_of(30)).fetch(START + 30 * HOUR)
    assert [lake.message(id_)["parent_id"] for id_ in (1, 2, 12, 13)] == [None, "1", "11", None]


def test_members_are_read_once_a_day_whatever_the_first_page_is_called() -> None:
    for first in (0, 1):
        forum = forum_of(5, users_from=first)
        for user in range(4, 12):
            forum.join(user, f"lurker{user}")
        lake = Lake(forum).fetch(START + 6 * HOUR)
        assert lake.ids("members") == {str(n) for n in range(1, 12)}
        forum.asked.clear()
        lake.fetch(START + 7 * HOUR)
        assert not any("/admin/" in one for one in forum.asked)


def test_without_an_admin_key_members_are_those_who_wrote() -> None:
    forum = forum_of(5, is_admin=False)
    forum.join(9, "lurker")
    lake = Lake(forum).fetch(START + 6 * HOUR)
    assert lake.ids("members") == {"1", "2", "3"}


def test_check_says_what_may_be_read() -> None:
    def said(forum: Forum) -> str:
        return discourse.check(discourse.connect(OPTIONS, "k", Http(transport=forum)), OPTIONS)

    assert said(forum_of(1)) == "reads IT forum and its members"
    assert said(forum_of(1, is_admin=False)) == "reads IT forum but not its members (403)"


def test_a_forum_without_an_address_is_a_clear_error() -> None:
    with pytest.raises(BadSettings, match="forum: set base_url"):
        discourse.connect(discourse.Options(name="forum", platform="discourse"), None, Http())


def test_without_a_key_nothing_is_signed() -> None:
    for secret, expected in ((None, set()), ("k", {"api-key", "api-username"})):
        seen: list[httpx.Request] = []

        def note(request: httpx.Request, seen: list[httpx.Request] = seen) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200, json={})

        http = Http(transport=httpx.MockTransport(note))
        discourse.check(discourse.connect(OPTIONS, secret, http), OPTIONS)
        assert {"api-key", "api-username"} & set(seen[0].headers) == expected


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (httpx.Response(429, json={"extras": {"wait_seconds": 12}}), 12),
        (httpx.Response(429, headers={"retry-after": "3"}, html="<h1>slow down</h1>"), 3),
        (httpx.Response(429, html="<h1>slow down</h1>"), 10),
    ],
)
def test_waits_as_the_forum_or_its_web_server_ask(answer: httpx.Response, wait: float) -> None:
    http = Http(transport=httpx.MockTransport(lambda request: answer), patience=1)
    with pytest.raises(RateLimited) as caught:
        discourse.connect(OPTIONS, None, http).get("/about.json")
    assert caught.value.seconds == wait


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
    for body in ([], None, 7, "x", {"latest_posts": None, "topic_list": [], "about": 3}):
        http = Http(transport=httpx.MockTransport(lambda request, body=body: ok(body)))
        window = Window(OPTIONS, START, {"post": 3, "synced_at": START.isoformat()})
        assert list(discourse.pages(discourse.connect(OPTIONS, "k", http), window))[-1].cursor
        assert discourse.check(discourse.connect(OPTIONS, "k", http), OPTIONS)


def ok(body: Any) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return httpx.Response(200, headers=headers, content=json.dumps(body).encode())


def test_the_hint_of_an_answer_without_a_body_is_none() -> None:
    assert discourse._wait(Answer({}, 200, {}, START)) is None
