"""X: which calls are made, from which mark, and what a missing post means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from recorded import Recorded, items_of
from x_account import NOW, OPTIONS, Answers, calls_to, fetch, nothing_new, post, problem

from muster.records import Deletion, Item, KnownMessage
from muster.sources import Window, x


def test_the_account_is_asked_for_once_a_day() -> None:
    calls, _, cursor = fetch()
    assert len(calls_to(calls, "/by/username/desk")) == 1
    later = fetch(cursor=cursor, now=NOW + timedelta(hours=11))
    assert calls_to(later[0], "/by/username/") == []
    assert calls_to(fetch(cursor=cursor, now=NOW + timedelta(hours=12))[0], "/by/username/")


def test_an_account_given_by_its_id() -> None:
    assert fetch(options=OPTIONS.model_copy(update={"account": "1"}))[0][0][0] == "/2/users/1"


def mentions_at(*minutes_ago: int) -> Answers:
    """Mentions of these ages; ids grow with time."""

    def answers(path: str, query: Mapping[str, str]) -> Any:
        if not path.endswith("/mentions"):
            return nothing_new(path, query)
        times = [NOW - timedelta(minutes=age) for age in minutes_ago]
        posts = [
            post(id=(i := str(int(at.timestamp()))), edit_history_tweet_ids=[i],
                 created_at=at.isoformat()) for at in times
        ]  # fmt: skip
        return {"data": [one for one in posts if one["id"] > query.get("since_id", "")]}

    return answers


def test_posts_that_may_still_be_edited_are_read_again() -> None:
    _, items, cursor = fetch(mentions_at(10, 34, 36, 90))
    assert len([item for item in items if item.stream == "post"]) == 4
    calls, items, _ = fetch(mentions_at(10, 34, 36, 90), cursor=cursor)
    assert len([item for item in items if item.stream == "post"]) == 2
    mark = str(int((NOW - timedelta(minutes=36)).timestamp()))
    assert calls_to(calls, "/mentions")[0]["since_id"] == mark


def test_a_window_is_asked_for_by_its_times() -> None:
    since, until = datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC)
    cursor = fetch(mentions_at(90))[2]
    for query in calls_to(fetch(cursor=cursor, since=since, until=until)[0], "/users/1/"):
        assert query["start_time"] == "2026-11-18T00:00:00Z"
        assert query["end_time"] == "2026-11-19T00:00:00Z"
        assert "since_id" not in query


def searching(**fields: Any) -> x.Options:
    return OPTIONS.model_copy(update={"terms": ("eduroam",), **fields})


def test_search_reaches_back_seven_days() -> None:
    since = NOW - timedelta(days=30)
    (query,) = calls_to(fetch(options=searching(), since=since)[0], "/search/recent")
    assert query["start_time"] == "2026-11-13T12:01:00Z"
    assert query["query"] == "(eduroam) -is:retweet -from:desk"


def test_search_reaches_further_where_that_is_allowed() -> None:
    since, archive = NOW - timedelta(days=30), searching(full_archive=True)
    calls = fetch(options=archive, since=since)[0]
    assert calls_to(calls, "/search/recent") == []
    assert calls_to(calls, "/search/all")[0]["start_time"] == "2026-10-21T12:00:00Z"
    recent = fetch(options=archive, since=NOW - timedelta(days=2))[0]
    assert len(calls_to(recent, "/search/recent")) == 1


def test_a_mark_older_than_search_reaches_is_not_used() -> None:
    def answers(path: str, query: Mapping[str, str]) -> Any:
        return {"data": [post()]} if "/search/" in path else nothing_new(path, query)

    cursor = fetch(answers, options=searching())[2]
    assert calls_to(fetch(options=searching(), cursor=cursor)[0], "/search/")[0]["since_id"] == "50"
    late = fetch(options=searching(), cursor=cursor, now=NOW + timedelta(days=9))[0]
    assert "since_id" not in calls_to(late, "/search/")[0]
    assert calls_to(late, "/search/")[0]["start_time"] == "2026-11-22T12:01:00Z"


def test_a_new_term_is_looked_for_from_the_start() -> None:
    def answers(path: str, query: Mapping[str, str]) -> Any:
        return {"data": [post()]} if "/search/" in path else nothing_new(path, query)

    cursor = fetch(answers, options=searching())[2]
    other = searching(terms=("vpn",))
    calls, _, cursor = fetch(answers, options=other, cursor=cursor)
    assert "since_id" not in calls_to(calls, "/search/")[0]
    assert [name for name in cursor["streams"] if name.startswith("terms:")] == ["terms:(vpn)"]


@given(st.lists(st.text(min_size=1, max_size=256), min_size=1, max_size=40))
def test_queries_are_never_too_long_and_name_every_term(terms: list[str]) -> None:
    options = OPTIONS.model_copy(update={"terms": tuple(terms)})
    state = {"account": {"id": "1", "handle": "a_handle_of_15c"}, "roots": {}}
    queries = [query for _, query in x._searches(Window(options, NOW, {}), state)]
    assert all(len(query) <= 512 for query in queries)
    for term in terms:
        assert any(x._term(term) in query for query in queries)
    assert all(query.count('"') % 2 == 0 for query in queries)


def test_a_term_too_long_for_a_query_is_refused_in_the_settings() -> None:
    with pytest.raises(ValidationError):
        x.Options(name="x", platform="x", account="desk", terms=("a" * 257,))


def test_replies_under_our_posts_are_looked_for_while_they_are_young() -> None:
    ours = post(author_id="1", id="60", conversation_id="60", edit_history_tweet_ids=["60"])
    answer = post(author_id="1", referenced_tweets=[{"type": "replied_to", "id": "3"}])

    def answers(path: str, query: Mapping[str, str]) -> Any:
        return {"data": [ours, answer]} if path == "/2/users/1/tweets" else nothing_new(path, query)

    calls, _, cursor = fetch(answers)
    (query,) = calls_to(calls, "/search/")
    assert query["query"] == "(conversation_id:60) -is:retweet -from:desk"
    assert calls_to(fetch(cursor=cursor, now=NOW + timedelta(days=5))[0], "/search/")
    assert not calls_to(fetch(cursor=cursor, now=NOW + timedelta(days=7))[0], "/search/")


@pytest.mark.parametrize(("days", "direction"), [(7, "inbound"), (9, "ambient")])
def test_replies_under_a_young_post_of_ours_are_inbound(days: int, direction: str) -> None:
    at = (NOW - timedelta(days=days)).isoformat()
    root = post(author_id="1", id="60", conversation_id="60", edit_history_tweet_ids=["60"],
                created_at=at)  # fmt: skip
    below = post(conversation_id="60", created_at=NOW.isoformat())

    def answers(path: str, query: Mapping[str, str]) -> Any:
        if path == "/2/users/1/tweets":
            return {"data": [root]}
        return {"data": [below]} if query.get("query", "").startswith("(eduroam") else (
            nothing_new(path, query))  # fmt: skip

    _, items, _ = fetch(answers, options=searching())
    read = [row for item in items if item.stream == "post" for row in x.rows(item, OPTIONS)]
    assert [row.direction for row in read if row.message_id == "50"] == [direction]


def test_a_post_comes_out_the_same_whichever_call_found_it() -> None:
    one = Recorded("x")
    found: dict[str, list[Any]] = {}
    for item in items_of(one.pages(one.wire())):
        for row in x.rows(item, one.options) if item.stream == "post" else ():
            found.setdefault(row.message_id, []).append(row)
    repeated = [again for again in found.values() if len(again) > 1]
    assert len(repeated) >= 3
    assert all(row == again[0] for again in repeated for row in again)


def known(message_id: str, days: float) -> KnownMessage:
    return KnownMessage(message_id, message_id, NOW - timedelta(days=days))


def lookup(*errors: Any) -> Answers:
    def answers(path: str, query: Mapping[str, str]) -> Any:
        return {"errors": list(errors)} if path == "/2/tweets" else nothing_new(path, query)

    return answers


def deletions(items: list[Item]) -> list[Deletion]:
    found = [row for item in items if item.stream == "gone" for row in x.rows(item, OPTIONS)]
    return [row for row in found if isinstance(row, Deletion)]


def test_a_missing_post_is_a_deletion() -> None:
    message = known("8", 3.5)
    calls, items, _ = fetch(lookup(problem("resource-not-found")), known=lambda at: [message])
    assert [query["ids"] for query in calls_to(calls, "/2/tweets") if "ids" in query] == ["8"]
    assert deletions(items) == [
        Deletion(message_id="8", created_at=message.created_at, deleted_at=NOW)
    ]


@pytest.mark.parametrize(
    "error", [problem("not-authorized-for-resource"), problem("resource-not-found", resource_id="9",
                                                             value="9"), None, {"type": 7}]
)  # fmt: skip
def test_a_post_that_only_may_not_be_read_is_none(error: Any) -> None:
    assert deletions(fetch(lookup(error), known=lambda at: [known("8", 3.5)])[1]) == []


def test_known_posts_are_asked_for_by_the_hundred() -> None:
    messages = [known(str(number), 3.5) for number in range(100, 350)]
    calls, _, _ = fetch(lookup(), known=lambda at: messages)
    asked = [query["ids"].split(",") for query in calls_to(calls, "/2/tweets") if "ids" in query]
    assert [len(ids) for ids in asked] == [100, 100, 50]
