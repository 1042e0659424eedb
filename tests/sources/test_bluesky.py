"""Bluesky: what a post becomes, which calls are made for it, and a real network's answers."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import Recorded, items_of, last_cursor

from muster.errors import SourceFailed
from muster.records import Audience, Deletion, Item, KnownMessage, Member, Message
from muster.sources import Window, bluesky
from muster.sources._http import Http

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
ANSWERS = DATA / "servers" / "bluesky-devenv"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OUR_DID, DID = "did:plc:us", "did:plc:mira"
US = {"did": OUR_DID, "handle": "desk.example.org"}
OPTIONS = bluesky.Options(name="sky", platform="bluesky", account="desk.example.org", lang="de")
AT = "2026-11-19T10:00:00.000Z"


def uri(key: str, did: str = DID) -> str:
    return f"at://{did}/app.bsky.feed.post/{key}"


def post(key: str = "3k", did: str = DID, at: str = AT, indexed: str = AT, **record: Any) -> Any:
    handle = "desk.example.org" if did == OUR_DID else "mira.example.org"
    return {
        "uri": uri(key, did), "cid": "bafy", "indexedAt": indexed,
        "author": {"did": did, "handle": handle, "displayName": "Mira", "labels": []},
        "record": {"text": "hello", "createdAt": at, "langs": ["en"], **record},
    }  # fmt: skip


def rows(body: Any, stream: str = "post", context: Any = US) -> list[Any]:
    return list(bluesky.rows(Item(stream, body, NOW, context), OPTIONS))


def message(body: Any) -> Message:
    return next(row for row in rows(body) if isinstance(row, Message))


def member(body: Any) -> Member:
    return next(row for row in rows(body) if isinstance(row, Member))


def reply(root: str, parent: str) -> Any:
    return {"root": {"uri": root, "cid": "bafy"}, "parent": {"uri": parent, "cid": "bafy"}}


def facet(kind: str, **feature: str) -> Any:
    told = {"$type": f"app.bsky.richtext.facet#{kind}", **feature}
    return {"index": {"byteStart": 0, "byteEnd": 5}, "features": [told]}


# -- what a post becomes ---------------------------------------------------------------------


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


# -- which calls are made --------------------------------------------------------------------

Answers = Callable[[str, Mapping[str, Any]], Any]
SESSION = {"accessJwt": "access-1", "refreshJwt": "refresh-1", "did": OUR_DID, "handle": "desk"}
PROFILE = {**US, "followersCount": 12, "displayName": "Desk"}
NOTHING: dict[str, Any] = {
    "app.bsky.actor.getProfile": PROFILE,
    "app.bsky.feed.getAuthorFeed": {"feed": []},
    "app.bsky.notification.listNotifications": {"notifications": []},
    "app.bsky.feed.searchPosts": {"posts": []},
    "app.bsky.feed.getPosts": {"posts": []},
    "app.bsky.feed.getPostThread": {"thread": {}},
    "com.atproto.server.createSession": SESSION,
}


def network(**answers: Any) -> Answers:
    """A network that knows little: answers by the last part of a method's name."""

    def answer(method: str, query: Mapping[str, Any]) -> Any:
        told = answers.get(method.rpartition(".")[2], NOTHING.get(method))
        return told(query) if callable(told) else told

    return answer


def fetch(
    answers: Answers, options: bluesky.Options = OPTIONS, cursor: Any = None, **window: Any
) -> tuple[list[tuple[str, dict[str, Any]]], list[Item], Any]:
    """The calls made, the items read, the last cursor."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        query = {key: params.get_list(key) if key == "uris" else params[key] for key in params}
        method = request.url.path.rpartition("/")[2]
        calls.append((method.rpartition(".")[2], query))
        return httpx.Response(200, json=answers(method, query))

    now = window.pop("now", NOW)
    http = Http(transport=httpx.MockTransport(answer), clock=lambda: now)
    asked = Window(options, now, cursor or {}, **window)
    pages = list(bluesky.pages(bluesky.connect(options, "password", http), asked))
    return calls, items_of(pages), last_cursor(pages)


def calls_to(calls: list[tuple[str, dict[str, Any]]], method: str) -> list[dict[str, Any]]:
    return [query for name, query in calls if name == method]


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


# -- signing in ------------------------------------------------------------------------------


def expiring(error: str, renewed: httpx.Response) -> tuple[httpx.MockTransport, list[str]]:
    """A PDS whose first access token has expired."""
    signed: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        method, token = request.url.path.rpartition(".")[2], request.headers.get("authorization")
        signed.append(f"{method} {token}")
        if method == "createSession":
            return httpx.Response(200, json=SESSION)
        if method == "refreshSession":
            return renewed
        if token == "Bearer access-1":
            return httpx.Response(400, json={"error": error, "message": "Token has expired"})
        return httpx.Response(200, json=PROFILE)

    return httpx.MockTransport(answer), signed


@pytest.mark.parametrize("error", ["ExpiredToken", "InvalidToken"])
def test_an_expired_token_is_renewed(error: str) -> None:
    fresh = {**SESSION, "accessJwt": "access-2", "refreshJwt": "refresh-2"}
    transport, signed = expiring(error, httpx.Response(200, json=fresh))
    api = bluesky.connect(OPTIONS, "password", Http(transport=transport))
    assert "@desk.example.org" in bluesky.check(api, OPTIONS)
    assert signed == [
        "createSession None",
        "getProfile Bearer access-1",
        "refreshSession Bearer refresh-1",
        "getProfile Bearer access-2",
    ]


def test_a_session_that_cannot_be_renewed_fails_clearly() -> None:
    body = {"error": "ExpiredToken", "message": "refresh-1 is too old"}
    transport, _ = expiring("ExpiredToken", httpx.Response(400, json=body))
    api = bluesky.connect(OPTIONS, "password", Http(transport=transport))
    with pytest.raises(SourceFailed, match="^sky: Bluesky refuses the sign-in") as caught:
        bluesky.check(api, OPTIONS)
    assert "refresh-1" not in str(caught.value)


def test_an_account_with_a_second_factor_needs_an_app_password() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"error": "AuthFactorTokenRequired", "message": "code"})

    with pytest.raises(SourceFailed, match="use an app password"):
        bluesky.connect(OPTIONS, "password", Http(transport=httpx.MockTransport(answer)))


def test_without_a_password_it_says_how_to_give_one() -> None:
    with pytest.raises(SourceFailed, match="^sky: Bluesky needs an app password"):
        bluesky.connect(OPTIONS, None, Http())


# -- a real network's answers ------------------------------------------------------------------

absent = pytest.mark.skipif(not ANSWERS.is_dir(), reason="../shared/data/servers is absent")
REAL_US = {"did": "did:plc:2b56oxdosyabie35x6bfk5aq", "handle": "alice.test"}


def real(name: str) -> Any:
    (path,) = ANSWERS.glob(f"*_{name}.json")
    return json.loads(path.read_text("utf-8"))["response"]["body"]


@absent
def test_real_feeds_are_mapped() -> None:
    entries = [entry for page in range(4) for entry in real(f"getAuthorFeed_p{page}")["feed"]]
    assert len(entries) >= 15
    for entry in [*entries, *real("getTimeline_via_pds_proxy")["feed"]]:
        for row in rows(entry, "feed", REAL_US):
            assert (
                row.message_id == entry["post"]["uri"] if isinstance(row, Message) else row.handle
            )


@absent
def test_a_real_thread_is_one_conversation() -> None:
    posts = list(bluesky._nodes(real("getPostThread")["thread"]))
    read = [row for one in posts for row in rows(one, "post", REAL_US) if isinstance(row, Message)]
    assert [row.direction for row in read] == ["inbound", "outbound", "inbound"]
    assert [row.parent_id for row in read] == [None, read[0].message_id, read[1].message_id]
    assert {row.thread_id for row in read} == {read[0].message_id}
    assert read[2].text == "Sent. thanks 🙏"


@absent
def test_real_notifications_point_to_posts() -> None:
    notices = real("listNotifications")["notifications"]
    uris = [uri for notice in notices if (uri := bluesky._told_of(notice))]
    assert uris
    assert all("/app.bsky.feed.post/" in uri for uri in uris)
    assert real("getPosts_after_delete")["posts"]
    assert list(rows(real("getProfile"), "account", REAL_US))


@pytest.mark.skipif(
    not (DATA / "recordings").is_dir(), reason="../shared/data/recordings is absent"
)
def test_what_is_asked_for_is_in_the_lexicons() -> None:
    with tarfile.open(DATA / "recordings" / "atproto.tar.xz") as tar:
        defined = {
            member.name.partition("lexicons/")[2]
            .removesuffix(".json")
            .replace("/", "."): json.load(
                tar.extractfile(member)  # type: ignore[arg-type]
            )["defs"]
            for member in tar
            if member.name.endswith(".json")
        }
    one = Recorded("bluesky")
    wire = one.wire()
    list(one.pages(wire))
    for call in wire.asked:
        path, _, query = call.partition("?")
        method, _, nsid = path.partition(" /xrpc/")
        main = defined[nsid]["main"]
        assert main["type"] == {"GET": "query", "POST": "procedure"}[method]
        allowed = main.get("parameters", {}).get("properties", {})
        assert set(httpx.QueryParams(query)) <= set(allowed)
    view = defined["app.bsky.feed.defs"]["postView"]["properties"]
    assert {"replyCount", "repostCount", "likeCount", "quoteCount", "indexedAt"} <= set(view)
    author = defined["app.bsky.actor.defs"]["profileViewBasic"]["properties"]
    assert {"did", "handle", "displayName", "labels", "createdAt"} <= set(author)
