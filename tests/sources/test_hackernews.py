"""Hacker News: what is asked for and when, and what a story or comment becomes, in every shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from recorded import items_of, last_cursor

from muster.errors import Refused, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Message
from muster.sources import Window, hackernews
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = int(datetime(2026, 11, 19, 10, tzinfo=UTC).timestamp())
OPTIONS = hackernews.Options(name="h", platform="hackernews", account="desk", terms=("campus VPN",))


def hit(key: int = 7, **told: Any) -> dict[str, Any]:
    return {"objectID": str(key), "created_at_i": AT, "author": "mira", "title": None, "url": None,
            "comment_text": "the campus VPN", "story_id": 1, "parent_id": 5,
            "_tags": ["comment", "author_mira", "story_1"], **told}  # fmt: skip


def rows(body: Any, **context: Any) -> list[Any]:
    return list(hackernews.rows(Item("entry", body, NOW, context), OPTIONS))


def message(body: Any, **context: Any) -> Message:
    (found,) = [row for row in rows(body, **context) if isinstance(row, Message)]
    return found


class Net:
    """The search and the site: hits by query, bodies (or a status) by path, and what was asked."""

    def __init__(self, hits: Mapping[str, Any] | None = None, **bodies: Any) -> None:
        self.hits = hits or {}
        self.bodies = bodies
        self.asked: list[httpx.Request] = []

    def fetch(self, cursor: Any = None, options: Any = OPTIONS, **window: Any) -> Any:
        now = window.pop("now", NOW)
        http = Http(transport=httpx.MockTransport(self._answer), clock=lambda: now)
        api = hackernews.connect(options, None, http)
        pages = list(hackernews.pages(api, Window(options, now, cursor or {}, **window)))
        return items_of(pages), last_cursor(pages)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        name = request.url.path.rpartition("/")[2].removesuffix(".json")
        if name == "search_by_date":
            key = request.url.params.get("query") or request.url.params["tags"]
            return httpx.Response(200, json={"hits": self.hits.get(key, []), "hitsPerPage": 100})
        body = self.bodies.get(f"i{name}", {"children": []})
        is_code = isinstance(body, int)
        content = json.dumps({} if is_code else body)
        return httpx.Response(body if is_code else 200, content=content)

    def count(self, part: str) -> int:
        return len([one for one in self.asked if part in one.url.path])


SHAPES = {
    "a hit": hit(comment_text="<i>&gt; no</i><p>Yes &amp; <b>no</b> &#x27;daily&#x27;"),
    "a branch": {"id": 7, "created_at_i": AT, "type": "comment", "author": "mira", "title": None,
                 "text": "<i>&gt; no</i><p>Yes &amp; <b>no</b> 'daily'</p>", "parent_id": 5,
                 "story_id": 1, "children": [], "points": None},
    "the site's": {"id": 7, "time": AT, "type": "comment", "by": "mira", "parent": 5,
                   "text": "<i>&gt; no</i><p>Yes &amp; <b>no</b> &#39;daily&#39;"},
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_says_the_same(shape: str) -> None:
    assert message(SHAPES[shape], thread="1") == Message(
        message_id="7", thread_id="1", parent_id="5", author_id="mira", kind="reply",
        created_at=datetime(2026, 11, 19, 10, tzinfo=UTC), direction="ambient",
        url="https://news.ycombinator.com/item?id=7", text="Yes & no 'daily'",
    )  # fmt: skip


def test_a_story_is_its_title_and_its_text() -> None:
    story = hit(title="Ask HN: VPN?", story_text="Which one?", comment_text=None, points=9,
                num_comments=4, _tags=["story"])  # fmt: skip
    found = message(story)
    assert (found.kind, found.thread_id, found.parent_id) == ("post", "7", None)
    assert (found.text, found.likes, found.replies) == ("Ask HN: VPN?\n\nWhich one?", 9, 4)
    assert found.channel == "Ask HN"


@pytest.mark.parametrize("flag", ["deleted", "dead"])
def test_what_is_deleted_or_dead_is_a_deletion(flag: str) -> None:
    (found,) = rows({"id": 7, "time": AT, "type": "comment", flag: True})
    assert isinstance(found, Deletion) and found.message_id == "7"


@pytest.mark.parametrize("body", [None, {}, 7, "x", hit(created_at_i=True), hit(objectID="x"),
                                  hit(_tags=["job"]), hit(story_id=None)])  # fmt: skip
def test_an_unknown_shape_is_refused(body: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, Refused)):
        rows(body)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("the Campus VPN!", True), ("campus VPNs", False), ("campusVPN", False), ("a VPN", False)],
)
def test_only_whole_words_are_taken(text: str, is_found: bool) -> None:
    items, _ = Net({'"campus VPN"': [hit(comment_text=text)]}).fetch()
    assert bool(items) == is_found


@pytest.mark.parametrize(
    ("url", "is_found"),
    [("https://desk.example.org/x", True), ("https://www.desk.example.org", True),
     ("https://example.org/desk.example.org", False), ("https://baddesk.example.org", False)],
)  # fmt: skip
def test_a_site_is_found_by_its_host(url: str, is_found: bool) -> None:
    options = OPTIONS.model_copy(update={"terms": ("site:desk.example.org",), "account": None})
    net = Net({"desk.example.org": [hit(url=url, _tags=["story"], title="x")]})
    items, _ = net.fetch(options=options)
    assert bool(items) == is_found
    assert net.asked[0].url.params["restrictSearchableAttributes"] == "url"


OURS = "(story,comment,poll),author_desk"
STORY = hit(1, author="desk", _tags=["story"], title="Show HN", num_comments=1)
BELOW = {"id": 8, "created_at_i": AT, "type": "comment", "author": "mira", "text": "How?",
         "title": None, "parent_id": 1, "story_id": 1, "children": [
             {"id": 9, "created_at_i": AT, "type": "comment", "author": "jonas", "text": "So",
              "title": None, "parent_id": 8, "story_id": 1, "children": []}]}  # fmt: skip


def test_everything_under_a_story_of_ours_is_said_to_us() -> None:
    items, _ = Net({OURS: [STORY]}, i1={"children": [BELOW]}).fetch()
    found = [row for one in items for row in hackernews.rows(one, OPTIONS)]
    said = [one for one in found if isinstance(one, Message)]
    assert [(one.message_id, one.direction) for one in said] == [
        ("1", "outbound"), ("8", "inbound"), ("9", "inbound")]  # fmt: skip
    assert {one.thread_id for one in said} == {"1"}


def test_under_a_comment_of_ours_only_what_answers_it() -> None:
    ours = hit(8, author="desk", parent_id=1)
    items, _ = Net({OURS: [ours]}, i8={"children": [{**BELOW, "id": 20, "parent_id": 8}]}).fetch()
    assert [one.body.get("id") for one in items[1:]] == [20]
    assert message(items[1].body, **items[1].context).direction == "inbound"


def test_answers_are_read_once_a_day_and_when_there_are_more() -> None:
    net = Net({OURS: [STORY]}, i1={"children": []})
    _, cursor = net.fetch()
    _, cursor = net.fetch(cursor, now=NOW + timedelta(hours=1))
    assert net.count("items/1") == 1
    net.hits = {OURS: [{**STORY, "num_comments": 2}]}
    _, cursor = net.fetch(cursor, now=NOW + timedelta(hours=2))
    assert net.count("items/1") == 2
    _, cursor = net.fetch(cursor, now=NOW + timedelta(days=1))
    assert net.count("items/1") == 3
    net.fetch(cursor, now=NOW + timedelta(days=20))
    assert net.count("items/1") == 3


def test_a_comment_deleted_from_a_tree_is_a_deletion() -> None:
    gone = {**BELOW, "author": None, "text": None, "children": []}
    items, _ = Net({OURS: [STORY]}, i1={"children": [gone]}).fetch()
    found = [row for one in items for row in hackernews.rows(one, OPTIONS)]
    assert [one.message_id for one in found if isinstance(one, Deletion)] == ["8"]


def test_known_ones_are_asked_for_at_the_site_on_days_1_3_7_and_30() -> None:
    ages = {"11": 1, "12": 2, "13": 3, "17": 7, "18": 8, "30": 30}
    known = [
        KnownMessage(key, "1", NOW - timedelta(days=age, hours=1)) for key, age in ages.items()
    ]
    net = Net(i11=None)
    items, _ = net.fetch(known=lambda at: known)
    asked = sorted(one.url.path for one in net.asked if one.url.path.startswith("/v0/"))
    assert asked == [f"/v0/item/{key}.json" for key in ("11", "13", "17", "30")]
    assert [one.context["message_id"] for one in items if one.stream == "gone"] == ["11"]


def test_slices_of_time_go_down_to_where_the_last_fetch_began() -> None:
    net = Net({'"campus VPN"': [hit(k, created_at_i=AT - k) for k in range(1, 101)]})
    _, cursor = net.fetch()
    filters = [one.url.params.get("numericFilters") for one in net.asked if "VPN" in str(one.url)]
    assert filters[:2] == [None, f"created_at_i<={AT - 100}"]
    before = len(net.asked)
    net.fetch(cursor, now=NOW + timedelta(hours=1))
    asked = [one.url.params.get("numericFilters") for one in net.asked[before:]]
    assert asked[1] == f"created_at_i>={AT - 1 - 3 * 86400}"


def test_something_has_to_be_looked_for() -> None:
    nothing = OPTIONS.model_copy(update={"terms": (), "account": None})
    with pytest.raises(SourceFailed, match="h: set terms to look for, or account"):
        hackernews.connect(nothing, None, Http())
    with pytest.raises(SourceFailed, match="h: Hacker News knows no 'desk'"):
        net = Net(idesk=404)
        http = Http(transport=httpx.MockTransport(net._answer))
        hackernews.check(hackernews.connect(OPTIONS, None, http), OPTIONS)
