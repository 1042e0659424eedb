"""Mastodon: what is asked for and when, and what a status becomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from recorded import items_of, last_cursor

from muster.errors import SourceFailed
from muster.records import Deletion, Item, KnownMessage, Message
from muster.sources import Window, mastodon
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOST = "https://social.example.org"
OPTIONS = mastodon.Options(name="m", platform="mastodon", base_url=HOST, account="@desk", lang="de")
DESK = {"id": "1", "acct": "desk", "followers_count": 3}
MIRA = {"id": "7", "acct": "mira@far.example", "bot": False}


def status(at: str = "2026-11-19T10:00:00.000Z", **fields: Any) -> dict[str, Any]:
    return {"id": "50", "created_at": at, "in_reply_to_id": None, "content": "<p>hello</p>",
            "account": MIRA, "visibility": "public", "mentions": [], **fields}  # fmt: skip


def rows(body: Any, **context: Any) -> list[Any]:
    return list(mastodon.rows(Item("status", body, NOW, {"us": DESK, **context}), OPTIONS))


def message(body: Any, **context: Any) -> Message:
    found = rows(body, **context)[0]
    assert isinstance(found, Message)
    return found


class Net:
    """A server: bodies (or a status code) by path, and what was asked of it."""

    def __init__(self, bodies: Mapping[str, Any] | None = None) -> None:
        self.bodies = {"/api/v1/accounts/lookup": DESK, **(bodies or {})}
        self.asked: list[str] = []

    def fetch(
        self, cursor: Any = None, token: str | None = "t", options: Any = OPTIONS, **window: Any
    ) -> tuple[list[Item], Any]:
        now = window.pop("now", NOW)
        http = Http(transport=httpx.MockTransport(self._answer), clock=lambda: now)
        api = mastodon.connect(options, token, http)
        pages = list(mastodon.pages(api, Window(options, now, cursor or {}, **window)))
        return items_of(pages), last_cursor(pages)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        body = self.bodies.get(request.url.path, [])
        is_code = isinstance(body, int)
        return httpx.Response(body if is_code else 200, json={} if is_code else body)

    def count(self, part: str) -> int:
        return len([path for path in self.asked if part in path])


@pytest.mark.parametrize(
    ("fields", "context", "direction"),
    [
        ({"account": DESK}, {}, "outbound"),
        ({}, {}, "ambient"),
        ({"mentions": [{"id": "1"}]}, {}, "inbound"),
        ({"mentions": [{"id": "9"}]}, {}, "ambient"),
        ({"in_reply_to_account_id": "1"}, {}, "inbound"),
        ({}, {"is_under_ours": True}, "inbound"),
    ],
)
def test_direction(fields: Any, context: Any, direction: str) -> None:
    assert message(status(**fields), **context).direction == direction


@pytest.mark.parametrize("visibility", ["private", "direct", "something new"])
def test_what_is_not_public_is_never_stored(visibility: str) -> None:
    assert rows(status(visibility=visibility, mentions=[{"id": "1"}])) == []


def test_a_boost_is_no_message() -> None:
    assert rows(status(reblog=status(id="40"))) == []


@pytest.mark.parametrize(
    "asks", [{"discoverable": False}, {"noindex": True}, {"note": "<p>#<span>NoBot</span></p>"}]
)
def test_who_asks_not_to_be_found_is_not_read_unless_they_speak_to_us(asks: Any) -> None:
    found, author = rows(status(account={**MIRA, **asks}))
    assert (found.text, found.url, author.handle) == (None, None, None)
    spoken = message(status(account={**MIRA, **asks}, mentions=[{"id": "1"}]))
    assert spoken.text == "hello"


def test_a_picture_or_a_poll_without_words_is_read_by_its_description() -> None:
    poll = {"options": [{"title": "yes"}, {"title": None}, {"title": "no"}]}
    media = [{"description": "a broken access point"}, {"description": None}]
    found = message(status(content="", poll=poll, media_attachments=media))
    assert found.text == "yes\nno\na broken access point"


def test_the_language_is_the_source_s_where_none_is_told() -> None:
    assert message(status(language=None)).lang == "de"
    assert message(status(language="ar")).lang == "ar"


@pytest.mark.parametrize("body", [None, {}, "text", 7, status(id=50), status(created_at=None)])
def test_an_unknown_shape_is_refused(body: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        rows(body)


ROOT = status(id="10", account=DESK, replies_count=1)
REPLY = status("2026-11-19T10:30:00.000Z", id="11", in_reply_to_id="10")
OWN, CONTEXT = "/api/v1/accounts/1/statuses", "/api/v1/statuses/10/context"


def test_replies_under_our_posts_are_read_again_only_when_there_are_more() -> None:
    net = Net({OWN: [ROOT], CONTEXT: {"descendants": [REPLY]}})
    items, cursor = net.fetch()
    assert [message(one.body, **one.context).thread_id for one in items[1:]] == ["10", "10"]
    assert net.count("context") == 1
    _, cursor = net.fetch(cursor, now=NOW + timedelta(hours=1))
    assert net.count("context") == 1
    net.bodies[OWN] = [{**ROOT, "replies_count": 2}]
    net.fetch(cursor, now=NOW + timedelta(hours=2))
    assert net.count("context") == 2


def test_a_young_thread_of_ours_is_read_every_day_for_answers_to_answers() -> None:
    net = Net({OWN: [ROOT], CONTEXT: {"descendants": [REPLY]}, "/api/v1/statuses": [ROOT, REPLY]})
    items, cursor = net.fetch()
    net.fetch(cursor, now=NOW + timedelta(days=1), known=lambda at: known(items))
    assert net.count("context") == 2


def known(items: list[Item]) -> list[KnownMessage]:
    told = [message(one.body, **(one.context or {})) for one in items if one.stream == "status"]
    return [KnownMessage(one.message_id, one.thread_id, one.created_at) for one in told]


def test_a_thread_whose_first_post_is_deleted_stays_one_thread() -> None:
    orphan = {**REPLY, "in_reply_to_id": None}
    net = Net({OWN: [ROOT], CONTEXT: {"descendants": [REPLY]}, "/api/v1/statuses": [orphan]})
    items, cursor = net.fetch()
    later, _ = net.fetch({**cursor, "seen": {}}, now=NOW + timedelta(days=1),
                         known=lambda at: known(items))  # fmt: skip
    found = [row for one in later for row in mastodon.rows(one, OPTIONS)]
    assert [one.message_id for one in found if isinstance(one, Deletion)] == ["10"]
    assert [one.thread_id for one in found if isinstance(one, Message) and one.message_id == "11"]\
        == ["10"]  # fmt: skip


def test_an_older_server_is_asked_for_posts_one_by_one() -> None:
    net = Net(
        {
            "/api/v1/statuses": 404,
            "/api/v1/statuses/11": 404,
            "/api/v1/statuses/12": {**REPLY, "id": "12"},
        }
    )
    at = NOW - timedelta(days=1)
    lake = [KnownMessage(one, "10", at) for one in ("11", "12")]
    items, cursor = net.fetch(known=lambda _: lake)
    found = [row for one in items for row in mastodon.rows(one, OPTIONS)]
    assert [one.message_id for one in found if isinstance(one, Deletion)] == ["11"]
    net.fetch(cursor, now=NOW + timedelta(days=1), known=lambda _: lake)
    assert net.asked.count("/api/v1/statuses") == 1


def test_followers_are_counted_once_a_day() -> None:
    net = Net()
    _, cursor = net.fetch()
    _, cursor = net.fetch(cursor, now=NOW + timedelta(hours=11))
    net.fetch(cursor, now=NOW + timedelta(hours=13))
    assert net.count("lookup") == 2


def test_without_a_token_mentions_are_not_asked_for() -> None:
    net = Net()
    net.fetch(token=None)
    assert net.count("notifications") == 0
    terms = OPTIONS.model_copy(update={"terms": ("wifi",)})
    with pytest.raises(SourceFailed, match="m: .*'wifi'.*read:search"):
        net.fetch(token=None, options=terms)


@pytest.mark.parametrize("status_code", [401, 403, 422])
def test_a_refusal_names_the_missing_scope(status_code: int) -> None:
    net = Net({"/api/v1/notifications": status_code})
    with pytest.raises(SourceFailed, match="m: .*scope read:notifications"):
        net.fetch()


def test_a_wrong_account_is_named() -> None:
    with pytest.raises(SourceFailed, match="m: .*knows no account '@desk'"):
        Net({"/api/v1/accounts/lookup": 404}).fetch()


def test_profiles_are_found_on_the_account_s_own_server() -> None:
    assert mastodon.addresses("mira@far.example", "7", OPTIONS)[0] == "https://far.example/@mira"
    assert mastodon.addresses("desk", "1", OPTIONS)[0] == f"{HOST}/@desk"
