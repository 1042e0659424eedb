"""Discourse: what is read of a forum as it grows and changes."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest
from forum import START, Forum
from forum_lake import DAY, HOUR, OPTIONS, Lake, forum_of
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.errors import RateLimited
from muster.sources import discourse
from muster.sources._discourse_seen import REMEMBERED, Fetch, note
from muster.sources._http import Http

MODES = ["window", "below", "exclusive"]


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


def test_a_second_fetch_brings_no_older_posts_of_topics_that_go_on() -> None:
    forum, since = forum_of(400), START + 35 * HOUR
    forum.write(401, 4, 2, START + 400 * HOUR, "<p>Once more</p>")  # the topic of posts 31 to 40
    options = OPTIONS.model_copy(update={"since": since.date()})
    lake = Lake(forum, options).fetch(START + 401 * HOUR, since=since)
    forum.edit(38, "<p>Better</p>", START + 401 * HOUR)
    lake.fetch(START + 402 * HOUR, since=since)
    assert lake.message(38)["text"] == "Better"
    assert lake.ids() == {str(n) for n in range(36, 402)}


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


def test_only_so_many_posts_are_remembered_the_newest_of_them() -> None:
    fetch, seen = Fetch(None, None, {}, {}), 2 * REMEMBERED  # type: ignore[arg-type]
    for start in range(0, seen, 50):
        note(
            fetch,
            [{"id": id_, "topic_id": 7, "post_number": id_} for id_ in range(start, start + 50)],
        )
    assert len(fetch.numbers) <= REMEMBERED
    assert all(fetch.numbers[7, id_] == id_ for id_ in range(seen - REMEMBERED // 2, seen))
