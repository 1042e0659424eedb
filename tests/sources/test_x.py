"""X: what a post becomes, which calls are made for it, and real answers through the mapping."""

from __future__ import annotations

import gzip
import json
import lzma
import tarfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from recorded import Recorded, items_of, last_cursor

from muster.errors import SourceFailed
from muster.records import Audience, Deletion, Item, KnownMessage, Member, Message
from muster.sources import Window, x
from muster.sources._http import Http
from muster.sources._x_rows import _id_time

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
US = {"id": "1", "handle": "desk"}
OPTIONS = x.Options(name="x", platform="x", account="desk", lang="de")


def post(**fields: Any) -> dict[str, Any]:
    return {
        "id": "50", "text": "hello", "author_id": "7", "conversation_id": "50",
        "created_at": "2026-11-19T10:00:00.000Z", "edit_history_tweet_ids": ["50"],
        "lang": "en", **fields,
    }  # fmt: skip


def message(body: Any, options: x.Options = OPTIONS, **context: Any) -> Message:
    told = {"us": US, "handle": "mira", "is_under_ours": False, **context}
    (row,) = x.rows(Item("post", body, NOW, told), options)
    assert isinstance(row, Message)
    return row


def rows(body: Any) -> list[Any]:
    return list(x.rows(Item("post", body, NOW, {"us": US}), OPTIONS))


# -- what a post becomes ---------------------------------------------------------------------


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
               joined_at=datetime(2015, 9, 1, 7, tzinfo=UTC)),
        Audience(account="1", metric="followers", measured_on=date(2026, 11, 20), value=12),
    ]  # fmt: skip


# -- which calls are made --------------------------------------------------------------------

ACCOUNT = {"data": {"id": "1", "username": "desk", "name": "Desk",
                    "public_metrics": {"followers_count": 12}}}  # fmt: skip
EMPTY: dict[str, Any] = {"meta": {"result_count": 0}}
Answers = Callable[[str, Mapping[str, str]], Any]


def nothing_new(path: str, query: Mapping[str, str]) -> Any:
    return ACCOUNT if "/by/username/" in path or path == "/2/users/1" else EMPTY


def fetch(
    answers: Answers = nothing_new,
    options: x.Options = OPTIONS,
    cursor: Any = None,
    **window: Any,
) -> tuple[list[tuple[str, dict[str, str]]], list[Item], Any]:
    """The calls made, the items read, the last cursor."""
    calls: list[tuple[str, dict[str, str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        calls.append((request.url.path, query))
        body = answers(request.url.path, query)
        return httpx.Response(200, json=body)

    now = window.pop("now", NOW)
    http = Http(transport=httpx.MockTransport(answer), clock=lambda: now)
    asked = Window(options, now, cursor or {}, **window)
    pages = list(x.pages(x.connect(options, "token", http), asked))
    return calls, items_of(pages), last_cursor(pages)


def calls_to(calls: list[tuple[str, dict[str, str]]], part: str) -> list[dict[str, str]]:
    return [query for path, query in calls if part in path]


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


def problem(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"https://api.twitter.com/2/problems/{kind}", "resource_type": "tweet",
            "parameter": "ids", "resource_id": "8", "value": "8", **fields}  # fmt: skip


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


# -- what X refuses --------------------------------------------------------------------------


def refusing(status: int, body: Any, headers: Mapping[str, str] | None = None) -> list[float]:
    slept: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body, headers=headers)

    http = Http(transport=httpx.MockTransport(answer), clock=lambda: NOW, sleep=slept.append)
    try:
        x.check(x.connect(OPTIONS, "a-token", http), OPTIONS)
    finally:
        assert slept == []
    return slept


def test_spent_credits_are_said_and_not_waited_for() -> None:
    with pytest.raises(SourceFailed, match=r"^x: X wants credits \(402\)"):
        refusing(402, {"title": "CreditsDepleted", "detail": "no credits"})


def test_a_spent_month_is_said_and_not_waited_for() -> None:
    body = {"type": "https://api.twitter.com/2/problems/usage-capped", "title": "UsageCapExceeded"}
    with pytest.raises(SourceFailed, match="^x: X's cap of posts read this month is reached"):
        refusing(429, body, {"x-rate-limit-reset": str(int(NOW.timestamp()) + 60)})


def test_an_unknown_account_is_named() -> None:
    with pytest.raises(SourceFailed, match="^x: X knows no account 'desk'"):
        refusing(200, {"errors": [problem("resource-not-found")]})


def test_without_a_token_it_says_how_to_give_one() -> None:
    with pytest.raises(SourceFailed, match="^x: X needs a bearer token: set token: env:NAME"):
        x.connect(OPTIONS, None, Http())


# -- real answers ----------------------------------------------------------------------------

ARCHIVES = ("python-twitter", "tweepy")
absent = pytest.mark.skipif(
    not (DATA / "recordings").is_dir(), reason="../shared/data/recordings is absent"
)


def real_bodies(archive: str) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of an archive of API answers that speak of posts or users."""
    with tarfile.open(DATA / "recordings" / f"{archive}.tar.xz") as tar:
        for member in tar:
            if member.isfile() and member.name.endswith((".json", ".yaml")):
                raw = tar.extractfile(member)
                assert raw
                for body in bodies_of(member.name, raw.read()):
                    if isinstance(body, Mapping) and isinstance(body.get("data"), list):
                        yield body


def bodies_of(name: str, raw: bytes) -> Iterator[Any]:
    if name.endswith(".json"):
        yield json.loads(raw)
        return
    for exchange in yaml.safe_load(raw)["interactions"]:
        body = exchange["response"]["body"]["string"]
        if isinstance(body, bytes):
            body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        if body and body[:1] in (b"{", "{"):
            yield json.loads(body)


def real(archive: str) -> tuple[list[Any], list[Any]]:
    posts, users = [], []
    for body in real_bodies(archive):
        found = [one for one in body["data"] if isinstance(one, Mapping)]
        posts += [one for one in found if "text" in one]
        users += [one for one in found if "username" in one and "text" not in one]
        users += (body.get("includes") or {}).get("users") or []
    return posts, users


@absent
@pytest.mark.parametrize("archive", ARCHIVES)
def test_real_posts_and_users_are_mapped_or_refused_for_their_date(archive: str) -> None:
    posts, users = real(archive)
    assert posts and users
    for told in posts:
        item = Item("post", told, NOW, {"us": US})
        if "created_at" not in told:
            with pytest.raises(KeyError, match="created_at"):
                list(x.rows(item, OPTIONS))
            continue
        for row in x.rows(item, OPTIONS):
            assert row.text and row.message_id == told["id"]
    for user in users:
        (member,) = x.rows(Item("user", user, NOW, {"us": US}), OPTIONS)
        assert member.handle == user["username"]


@absent
def test_real_ids_carry_their_time() -> None:
    dated = [told for told in real("python-twitter")[0] if "created_at" in told]
    assert len(dated) > 10
    for told in dated:
        at = datetime.fromisoformat(told["created_at"])
        assert abs(_id_time(told["id"]) - at) < timedelta(seconds=2)


@pytest.mark.skipif(not (DATA / "specs").is_dir(), reason="../shared/data/specs is absent")
def test_what_is_asked_for_and_read_is_in_the_specification() -> None:
    spec = json.loads(lzma.decompress((DATA / "specs" / "x_api_v2_openapi.json.xz").read_bytes()))
    parts, schemas = spec["components"]["parameters"], spec["components"]["schemas"]
    for name, part in {"tweet.fields": "TweetFieldsParameter", "user.fields": "UserFieldsParameter",
                       "expansions": "TweetExpansionsParameter"}.items():  # fmt: skip
        assert set(x.FIELDS[name].split(",")) <= set(parts[part]["schema"]["items"]["enum"])
    tweet, user = schemas["Tweet"]["properties"], schemas["User"]["properties"]
    assert set(x.FIELDS["tweet.fields"].split(",")) <= set(tweet)
    assert {"retweet_count", "reply_count", "like_count", "quote_count",
            "impression_count"} <= set(tweet["public_metrics"]["properties"])  # fmt: skip
    assert set(tweet["referenced_tweets"]["items"]["properties"]) == {"type", "id"}
    assert {"text", "entities"} <= set(tweet["note_tweet"]["properties"])
    assert {"id", "username", "name", "created_at", "location"} <= set(user)
    assert "followers_count" in user["public_metrics"]["properties"]
    kinds = schemas["Problem"]["discriminator"]["mapping"]
    assert {"resource-not-found", "usage-capped"} <= {kind.rpartition("/")[2] for kind in kinds}
    for path in ("/2/users/{id}/tweets", "/2/users/{id}/mentions", "/2/tweets/search/recent",
                 "/2/tweets/search/all"):  # fmt: skip
        asked = {one.get("name") for one in spec["paths"][path]["get"]["parameters"]}
        assert {"since_id", "start_time", "end_time", "max_results", "pagination_token"} <= asked
    assert "/2/users/by/username/{username}" in spec["paths"]
