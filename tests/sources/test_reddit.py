"""Reddit: what is asked for and when, and what a post or comment becomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from recorded import items_of, last_cursor

from muster.errors import Refused, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Member, Message, Thread
from muster.sources import Window, reddit
from muster.sources._answer import Answer
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = reddit.Options(name="r", platform="reddit", account="/r/Example", contact="u/desk")
TIME = (NOW - timedelta(days=1)).timestamp()


def comment(name: str = "t1_c", **data: Any) -> dict[str, Any]:
    return {"kind": "t1", "data": {
        "name": name, "link_id": "t3_p", "parent_id": "t3_p", "author": "mira",
        "author_fullname": "t2_m", "created_utc": TIME, "body": "hello", "subreddit": "example",
        **data}}  # fmt: skip


def post(name: str = "t3_p", **data: Any) -> dict[str, Any]:
    return {"kind": "t3", "data": {
        "name": name, "author": "mira", "author_fullname": "t2_m", "created_utc": TIME,
        "title": "Hello", "selftext": "", "subreddit": "example", **data}}  # fmt: skip


def listing(*things: Any, after: str | None = None) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"children": list(things), "after": after}}


def rows(thing: Any, **context: Any) -> list[Any]:
    told = {"is_ours": True, "is_mod": False, **context}
    return list(reddit.rows(Item("thing", thing, NOW, told), OPTIONS))


def message(thing: Any, **context: Any) -> Message:
    (found,) = [row for row in rows(thing, **context) if isinstance(row, Message)]
    return found


class Net:
    """Reddit with bodies (or a status code) by path, and the requests it got."""

    def __init__(self, bodies: Mapping[str, Any] | None = None) -> None:
        about = {"kind": "t5", "data": {"display_name": "example", "subscribers": 5}}
        self.bodies = {"/r/Example/about": about, **(bodies or {})}
        self.asked: list[httpx.Request] = []
        self.scope = "*"

    def fetch(self, cursor: Any = None, options: Any = OPTIONS, **window: Any) -> Any:
        now = window.pop("now", NOW)
        http = Http(transport=httpx.MockTransport(self._answer), clock=lambda: now)
        api = reddit.connect(options, '{"client_id": "i", "client_secret": "s"}', http)
        pages = list(reddit.pages(api, Window(options, now, cursor or {}, **window)))
        return items_of(pages), last_cursor(pages)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("access_token"):
            told = {"access_token": "a", "expires_in": 86400, "scope": self.scope}
            return httpx.Response(200, json=told)
        body = self.bodies.get(request.url.path, listing())
        is_code = isinstance(body, int)
        return httpx.Response(body if is_code else 200, json={} if is_code else body)

    def paths(self) -> list[str]:
        return [request.url.path for request in self.asked]


@pytest.mark.parametrize(
    ("data", "context", "role", "direction"),
    [
        ({}, {}, "member", "inbound"),
        ({}, {"is_mod": True}, "staff", "outbound"),
        ({"distinguished": "moderator"}, {}, "staff", "outbound"),
        ({"distinguished": "special"}, {}, "member", "inbound"),
        ({"author": "AutoModerator"}, {"is_mod": True}, "bot", "inbound"),
        ({"author": "Help-bot"}, {}, "bot", "inbound"),
        ({"author": "Talbot"}, {}, "member", "inbound"),
        ({"distinguished": "moderator"}, {"is_ours": False}, "member", "ambient"),
    ],
)
def test_role_and_direction(data: Any, context: Any, role: str, direction: str) -> None:
    found = message(comment(**data), **context)
    assert (found.author_role, found.direction) == (role, direction)


@pytest.mark.parametrize(
    ("thing", "is_deleted"),
    [
        (comment(body="[deleted]", author="[deleted]"), True),
        (comment(body="[removed]", author="[deleted]"), True),
        (post(selftext="[removed]", removed_by_category="moderator"), True),
        (post(removed_by_category="deleted"), True),
        (comment(author="[deleted]"), False),
    ],
)
def test_what_was_taken_away_is_a_deletion(thing: Any, is_deleted: bool) -> None:
    found = rows(thing)
    assert [isinstance(row, Deletion) for row in found if not isinstance(row, Thread)] == [
        is_deleted
    ]
    assert all(row.title is None for row in found if isinstance(row, Thread))


def test_a_post_is_its_title_and_its_words() -> None:
    found = message(post(title=" Wi-Fi &\nme ", selftext="> old\n\n>!the **end**!<"))
    assert found.text == "Wi-Fi &\nme\n\nthe end"


@pytest.mark.parametrize(("edited", "at"), [(False, None), (True, None), (TIME, TIME)])
def test_an_edit_has_a_time_or_none(edited: Any, at: float | None) -> None:
    found = message(comment(edited=edited)).edited_at
    assert (found.timestamp() if found else None) == at


@pytest.mark.parametrize("thing", [None, {}, 7, "x", {"kind": "t9", "data": {}},
                                   comment(created_utc=True), comment(name=5)])  # fmt: skip
def test_an_unknown_shape_is_refused(thing: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, Refused)):
        rows(thing)


DEEP = comment("t1_c2", parent_id="t1_c1")
CUT = {"kind": "more", "data": {"parent_id": "t1_c2", "children": [], "count": 0}}
LEFT = {"kind": "more", "data": {"parent_id": "t3_p", "children": ["c4"], "count": 1}}
TREE = [listing(post()), listing(comment("t1_c1", replies=listing(
    {**DEEP, "data": {**DEEP["data"], "replies": listing(CUT)}})), LEFT)]  # fmt: skip
WHOLE = {
    "/r/Example/new": listing(post(num_comments=4)),
    "/comments/p": TREE,
    "/comments/p/_/c2": [listing(post()), listing(comment("t1_c3", parent_id="t1_c2"))],
    "/api/morechildren": {"json": {"data": {"things": [comment("t1_c4")]}}},
}


def test_the_first_time_every_comment_of_a_post_is_read_however_deep() -> None:
    net = Net(WHOLE)
    items, cursor = net.fetch()
    found = {one.body["data"]["name"] for one in items if one.stream == "thing"}
    assert found == {"t3_p", "t1_c1", "t1_c2", "t1_c3", "t1_c4"}
    asked = len(net.asked)
    net.fetch(cursor)
    assert not [path for path in net.paths()[asked:] if path.startswith("/comments/")]


def test_a_killed_run_goes_on_with_the_branches_still_to_be_read() -> None:
    net = Net({**WHOLE, "/comments/p/_/c2": 500})
    http = Http(transport=httpx.MockTransport(net._answer), clock=lambda: NOW, sleep=lambda s: None)
    pages = []
    api = reddit.connect(OPTIONS, '{"client_id": "i", "client_secret": "s"}', http)
    with pytest.raises(Exception, match="fails"):
        pages.extend(iter(()))
        for one in reddit.pages(api, Window(OPTIONS, NOW, {})):
            pages.append(one)
    net.bodies["/comments/p/_/c2"] = WHOLE["/comments/p/_/c2"]
    items, _ = net.fetch(last_cursor(pages))
    found = {one.body["data"]["name"] for one in items if one.stream == "thing"}
    assert {"t1_c3", "t1_c4"} <= found and "t1_c1" not in found


def test_a_list_that_was_cut_off_before_the_last_known_comment_is_made_up_for() -> None:
    old = comment("t1_a", created_utc=TIME - 9 * 86400)
    net = Net({"/r/Example/comments": listing(old), "/r/Example/new": listing(post())})
    _, cursor = net.fetch()
    net.bodies["/r/Example/comments"] = listing(comment("t1_z"))
    known = KnownMessage("t3_p", "t3_p", NOW - timedelta(days=2))
    net.fetch(cursor, known=lambda at: [known])
    assert "/comments/p" in net.paths()


def test_known_ones_are_asked_for_every_day_as_long_as_the_settings_want() -> None:
    ages = {"t1_new": 5, "t1_old": 80, "t1_older": 100}
    known = [KnownMessage(name, "t3_p", NOW - timedelta(days=days)) for name, days in ages.items()]
    net = Net({"/api/info": listing(comment("t1_new"))})
    items, _ = net.fetch(known=lambda at: (one for one in known if one.created_at >= at))
    asked = [request.url.params["id"] for request in net.asked if "info" in request.url.path]
    assert asked == ["t1_old,t1_new"]
    assert [one.context["message_id"] for one in items if one.stream == "gone"] == ["t1_old"]


def test_moderators_are_staff_wherever_they_write() -> None:
    mods = {"data": {"children": [{"name": "Anna", "id": "t2_a"}]}}
    net = Net({"/r/Example/about/moderators": mods,
               "/r/Example/new": listing(post(author="anna", author_fullname="t2_a"))})  # fmt: skip
    items, _ = net.fetch()
    found = [row for one in items for row in reddit.rows(one, OPTIONS)]
    members = [one for one in found if isinstance(one, Member)]
    assert [(one.member_id, one.role) for one in members] == [("t2_a", "staff")] * 2
    assert [one.author_role for one in found if isinstance(one, Message)] == ["staff"]


def test_a_search_leaves_our_own_subreddit_out() -> None:
    options = OPTIONS.model_copy(update={"terms": ("the vpn",)})
    net = Net({"/search": listing(post("t3_x", subreddit="VPN"), post("t3_y"))})
    items, _ = net.fetch(options=options)
    assert [one.body["data"]["name"] for one in items if one.stream == "thing"] == ["t3_x"]
    (search,) = [one for one in net.asked if one.url.path == "/search"]
    assert search.url.params["q"] == '"the vpn"'


def test_every_request_says_who_we_are_and_wants_plain_text() -> None:
    net = Net()
    net.fetch()
    for request in net.asked[1:]:
        assert request.headers["user-agent"] == "python:muster:0.1 (by /u/desk)"
        assert request.url.params["raw_json"] == "1"


@pytest.mark.parametrize(
    ("status", "names"), [(404, "no r/Example: check account"), (403, "private.*scope read")]
)
def test_a_refusal_says_what_is_missing(status: int, names: str) -> None:
    with pytest.raises(SourceFailed, match=f"r: .*{names}"):
        Net({"/r/Example/about": status}).fetch()


def test_a_token_without_the_scope_is_named() -> None:
    net = Net()
    net.scope = "identity"
    with pytest.raises(SourceFailed, match="r: the token lacks the scope read"):
        net.fetch()


def test_a_page_for_people_instead_of_an_answer_is_no_matter_of_waiting() -> None:
    with pytest.raises(SourceFailed, match="r: Reddit answers programs of this kind"):
        reddit._wait_of("r")(Answer(None, 403, {}, NOW))


@pytest.mark.parametrize(("left", "pause"), [("0.0", 45.0), ("1.0", None), ("x", None)])
def test_spent_requests_are_waited_for(left: str, pause: float | None) -> None:
    headers = {"x-ratelimit-remaining": left, "x-ratelimit-reset": "45"}
    assert reddit._pause(Answer(None, 200, headers, NOW)) == pause
