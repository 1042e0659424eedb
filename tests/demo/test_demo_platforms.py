"""The three simulated APIs page, refuse and forget as the real ones do."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from demo.bluesky_api import PASSWORD
from demo.bluesky_tokens import ACCESS, token
from demo.discourse_api import API_KEY
from demo.exchange import Answer, Request
from demo.limits import Limit, Meter
from demo.server import Site
from demo.stories import DEFAULT_NOW
from demo.x_api import BEARER
from demo.x_query import BadQuery, predicate, words_of

FORUM = {"api-key": API_KEY}
X = {"authorization": f"Bearer {BEARER}"}


@pytest.fixture(scope="module")
def site() -> Site:
    return Site(DEFAULT_NOW, are_limited=False)


@pytest.fixture(scope="module")
def bluesky(site: Site) -> dict[str, str]:
    who = {"identifier": "it-help.nordufer.example", "password": PASSWORD}
    path = "/xrpc/com.atproto.server.createSession"
    answer = site.answer(Request("POST", path, {}, {}, json.dumps(who).encode()))
    return {"authorization": f"Bearer {answer.body['accessJwt']}"}


def get(site: Site, path: str, headers: dict[str, str], **params: Any) -> Answer:
    query = parse_qs(urlencode(params, doseq=True), keep_blank_values=True)
    return site.answer(Request("GET", path, query, headers))


# ---- Discourse ---------------------------------------------------------------------------------


def test_posts_page_by_windows_of_fifty_ids(site: Site) -> None:
    newest = get(site, "/posts.json", FORUM).body["latest_posts"]
    ids = [post["id"] for post in newest]
    assert ids == sorted(ids, reverse=True)
    before = ids[-1]
    page = get(site, "/posts.json", FORUM, before=before).body["latest_posts"]
    assert all(before - 51 < post["id"] < before for post in page)


def test_some_windows_of_ids_are_empty_though_older_posts_exist(site: Site) -> None:
    ids = site.discourse.ids
    start = next(low for low, high in zip(ids, ids[1:], strict=False) if high - low > 100)
    assert get(site, "/posts.json", FORUM, before=start + 60).body["latest_posts"] == []
    assert get(site, "/posts.json", FORUM, before=start + 1).body["latest_posts"]


def test_a_topic_shows_twenty_posts_and_the_ids_of_all(site: Site) -> None:
    longest = max(
        site.discourse.topics.values(), key=lambda t: (t.is_announcement, len(t.messages))
    )
    body = get(site, f"/t/{longest.id}.json", FORUM).body
    assert len(body["post_stream"]["posts"]) == min(20, len(body["post_stream"]["stream"]))
    some = body["post_stream"]["stream"][1:3]
    path = f"/t/{longest.id}/posts.json"
    found = get(site, path, FORUM, **{"post_ids[]": some}).body["post_stream"]["posts"]
    assert [post["id"] for post in found] == some
    assert "raw" not in found[0]


def test_the_topic_list_ends_without_a_next_url(site: Site) -> None:
    seen, page = set(), 0
    while True:
        listed = get(site, "/latest.json", FORUM, per_page=100, page=page).body["topic_list"]
        seen |= {topic["id"] for topic in listed["topics"]}
        if "more_topics_url" not in listed:
            break
        page += 1
    about = get(site, "/about.json", FORUM).body["about"]["stats"]
    assert len(seen) == about["topics_count"]


def test_users_page_from_one_and_end_with_an_empty_page(site: Site) -> None:
    path = "/admin/users/list/active.json"
    assert get(site, path, FORUM, page=0).body == get(site, path, FORUM, page=1).body
    assert get(site, path, FORUM, page=500).body == []
    assert get(site, path, {}).status == 404


def test_a_wrong_key_is_refused_as_discourse_refuses(site: Site) -> None:
    answer = get(site, "/posts.json", {"api-key": "wrong"})
    assert (answer.status, answer.body["error_type"]) == (403, "invalid_access")


def test_whispers_are_shown_to_staff_only(site: Site) -> None:
    whisper = next(post for post in site.discourse.posts if post.kind == "whisper")
    window = {"before": whisper.id + 1}
    for headers, is_seen in ((FORUM, True), ({}, False)):
        page = get(site, "/posts.json", headers, **window).body["latest_posts"]
        assert (whisper.id in [post["id"] for post in page]) is is_seen


# ---- X -----------------------------------------------------------------------------------------


def walk(site: Site, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    token = None
    while True:
        asked = params if token is None else {**params, "pagination_token": token}
        body = get(site, path, X, **asked).body
        yield from body.get("data", ())
        token = body["meta"].get("next_token")
        if token is None:
            return


def test_mentions_reach_back_eight_hundred_posts(site: Site) -> None:
    path = f"/2/users/{us(site)}/mentions"
    ids = [post["id"] for post in walk(site, path, max_results=100)]
    assert len(ids) == len(set(ids)) == 800


def us(site: Site) -> str:
    return str(get(site, "/2/users/by/username/NorduferIT", X).body["data"]["id"])


def test_recent_search_knows_seven_days_and_the_archive_everything(site: Site) -> None:
    recent = list(walk(site, "/2/tweets/search/recent", query="NUnet", max_results=100))
    start = {"start_time": "2010-11-07T00:00:00Z"}
    query = {"query": "NUnet", "max_results": 500}
    everything = list(walk(site, "/2/tweets/search/all", **query, **start))
    month = list(walk(site, "/2/tweets/search/all", **query))
    assert 0 < len(recent) < len(month) < len(everything)
    early = {"query": "NUnet", **start}
    assert get(site, "/2/tweets/search/recent", X, **early).status == 400


def test_an_edit_is_a_new_id_and_the_list_shows_the_newest(site: Site) -> None:
    post = next(p for p in site.x.posts if len(p.history) > 1 and p.message.exists(DEFAULT_NOW))
    first, last = (str(post.history[n]) for n in (0, -1))
    body = get(site, "/2/tweets", X, ids=f"{first},{last}").body
    assert [told["edit_history_tweet_ids"] for told in body["data"]] == [[first], [first, last]]
    bounds = {"since_id": int(first) - 1, "until_id": int(last) + 1, "max_results": 10}
    query = f"from:{post.message.author.handle}"
    found = get(site, "/2/tweets/search/all", X, query=query, **bounds).body["data"]
    assert last in [told["id"] for told in found] and first not in [told["id"] for told in found]


def test_a_deleted_post_is_an_error_beside_the_others(site: Site) -> None:
    past = [p for p in site.x.posts if p.at <= DEFAULT_NOW]
    gone = next(p for p in past if p.message.is_deleted(DEFAULT_NOW))
    there = next(p for p in past if p.message.exists(DEFAULT_NOW))
    answer = get(site, "/2/tweets", X, ids=f"{gone.id},{there.id}")
    assert answer.status == 200
    assert [post["id"] for post in answer.body["data"]] == [str(there.id)]
    (error,) = answer.body["errors"]
    assert error["resource_id"] == str(gone.id)
    assert error["type"].endswith("/resource-not-found")


def test_only_asked_fields_are_told(site: Site) -> None:
    (post,) = get(site, f"/2/users/{us(site)}/tweets", X, max_results=5).body["data"][:1]
    assert set(post) == {"id", "text", "edit_history_tweet_ids"}


def test_a_wrong_bearer_is_refused_as_x_refuses(site: Site) -> None:
    answer = get(site, "/2/tweets", {"authorization": "Bearer x"}, ids="1")
    assert (answer.status, answer.body["title"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("query", "is_match"),
    [
        ("nunet", True),
        ('"NUnet is"', True),
        ('"NUnet down"', False),
        ("down OR slow", True),
        ("(slow OR gone) -is:reply", True),
        ("from:ada -NUnet", False),
        ("@NorduferIT #wifi", True),
        ("conversation_id:7 OR conversation_id:8", True),
    ],
)
def test_the_search_language(query: str, is_match: bool) -> None:
    post = {
        "words": f" {' '.join(words_of('@NorduferIT NUnet is slow today #wifi'))} ",
        "handle": "ada", "to": "", "mentions": {"norduferit"}, "hashtags": {"wifi"},
        "conversation_id": "8", "lang": "en", "is": set(),
    }  # fmt: skip
    assert predicate(query)(post) is is_match


@pytest.mark.parametrize("query", ["", "(NUnet", "NUnet)", "OR NUnet", "nowhere:x"])
def test_a_query_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(BadQuery):
        predicate(query)


# ---- Bluesky -----------------------------------------------------------------------------------


def xrpc(site: Site, name: str, headers: dict[str, str], **params: Any) -> Answer:
    return get(site, f"/xrpc/{name}", headers, **params)


def test_search_is_for_those_who_signed_in(site: Site, bluesky: dict[str, str]) -> None:
    refused = xrpc(site, "app.bsky.feed.searchPosts", {}, q="NUnet")
    assert refused.status == 403 and isinstance(refused.body, str)
    assert xrpc(site, "app.bsky.feed.searchPosts", bluesky, q="NUnet").body["posts"]


def test_an_expired_and_a_forged_token_have_errors_of_their_own(site: Site) -> None:
    for wrong, error in ((token("did:x", ACCESS, -1), "ExpiredToken"), ("a.b.c", "InvalidToken")):
        headers = {"authorization": f"Bearer {wrong}"}
        answer = xrpc(site, "app.bsky.actor.getProfile", headers, actor="it-help.nordufer.example")
        assert (answer.status, answer.body["error"]) == (400, error)


def test_a_wrong_password_and_a_missing_token(site: Site) -> None:
    path = "/xrpc/com.atproto.server.createSession"
    who = b'{"identifier":"it-help.nordufer.example","password":"no"}'
    answer = site.answer(Request("POST", path, {}, {}, who))
    assert (answer.status, answer.body["error"]) == (401, "AuthenticationRequired")
    assert xrpc(site, "app.bsky.notification.listNotifications", {}).body["error"] == "AuthMissing"


def test_the_feed_ends_without_a_cursor_and_marks_reposts(
    site: Site, bluesky: dict[str, str]
) -> None:
    uris, reposts, cursor = [], 0, None
    while True:
        params = {"actor": "it-help.nordufer.example", "limit": 100}
        asked = params if cursor is None else {**params, "cursor": cursor}
        body = xrpc(site, "app.bsky.feed.getAuthorFeed", bluesky, **asked).body
        own = [entry for entry in body["feed"] if "reason" not in entry]
        uris += [entry["post"]["uri"] for entry in own]
        reposts += len(body["feed"]) - len(own)
        cursor = body.get("cursor")
        if cursor is None:
            break
    ours = [m for m in site.bluesky.messages if m.author.role == "staff"]
    assert sorted(uris) == sorted(
        site.bluesky.records.uris[m] for m in ours if m.exists(DEFAULT_NOW)
    )
    assert reposts > 5


def test_a_bad_cursor_is_the_servers_error(site: Site, bluesky: dict[str, str]) -> None:
    actor = {"actor": "it-help.nordufer.example", "cursor": "not-a-cursor"}
    assert xrpc(site, "app.bsky.feed.getAuthorFeed", bluesky, **actor).status == 500


def test_a_deleted_answer_takes_what_hangs_below_it_out_of_the_thread(
    site: Site, bluesky: dict[str, str]
) -> None:
    records, now = site.bluesky.records, DEFAULT_NOW
    deleted = next(
        m for m in site.bluesky.messages
        if m.is_deleted(now) and m.parent and any(r.exists(now) for r in m.replies)
        and m.thread.messages[0].exists(now)
    )  # fmt: skip
    below = next(reply for reply in deleted.replies if reply.exists(now))
    root = records.uris[deleted.thread.messages[0]]
    tree = json.dumps(xrpc(site, "app.bsky.feed.getPostThread", bluesky, uri=root).body)
    assert f'"uri": "{records.uris[below]}"' not in tree.replace(records.uris[deleted], "")
    found = xrpc(site, "app.bsky.feed.getPosts", bluesky, uris=[records.uris[below]]).body["posts"]
    assert len(found) == 1


# ---- rate limits -------------------------------------------------------------------------------


def test_each_platform_says_in_its_own_manner_when_to_come_again(
    site: Site, bluesky: dict[str, str]
) -> None:
    few = Limit(2, 60)
    site.discourse.meter = Meter(few)
    site.x.meters["lookup"] = Meter(few)
    site.bluesky.meter = Meter(few)
    try:
        asked = (
            ("/about.json", FORUM, {}),
            ("/2/tweets", X, {"ids": "1"}),
            ("/xrpc/app.bsky.feed.getPosts", bluesky, {"uris": "at://x"}),
        )
        answers = [[get(site, path, who, **what) for _ in range(3)] for path, who, what in asked]
    finally:
        site.discourse.meter = site.bluesky.meter = None
        site.x.meters.clear()
    assert [[answer.status for answer in three] for three in answers] == [[200, 200, 429]] * 3
    forum, x, blue = (three[-1] for three in answers)
    assert forum.body["extras"]["wait_seconds"] == int(forum.headers["Retry-After"]) > 0
    assert int(x.headers["x-rate-limit-reset"]) >= int(time.time())
    assert x.headers["x-rate-limit-remaining"] == blue.headers["RateLimit-Remaining"] == "0"
    assert "Retry-After" not in x.headers
    assert int(blue.headers["RateLimit-Reset"]) >= int(time.time())
