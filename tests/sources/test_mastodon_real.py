"""Mastodon: every status and account of real servers' answers as rows."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
import pytest
from real import Exchange, absent, exchanges

from muster.records import Item, Member, Message
from muster.sources import Window, mastodon
from muster.sources._answer import Answer, asked_wait
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOST = "https://social.example.org"
OPTIONS = mastodon.Options(name="m", platform="mastodon", base_url=HOST, account="desk")
US = {"id": "1", "acct": "desk"}
FIELDS = {"content", "visibility", "account", "created_at", "in_reply_to_id"}


@cache
def real() -> tuple[Exchange, ...]:
    told = exchanges("mastodon", status=None)
    return tuple(one for one in told if isinstance(one.body, list | dict))


def within(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every JSON object in a value, those inside of others too: quoted posts are posts."""
    if isinstance(value, dict):
        yield value
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from within(inner)


def statuses() -> list[Mapping[str, Any]]:
    """Every version of every status in the answers, of whatever call."""
    found = [one for told in real() for one in within(told.body) if one.keys() >= FIELDS]
    return [one for one in found if one["account"] and one["reblog"] is None]


def rows(body: Any, stream: str = "status", **context: Any) -> list[Any]:
    return list(mastodon.rows(Item(stream, body, NOW, {"us": US, **context}), OPTIONS))


def letters(markup: str) -> str:
    """What a browser would show, without blanks: a second reading, with nothing of ours in it."""
    own = re.sub(r'<p class="quote-inline">.*?</p>|<span class="quote-inline">.*', "", markup)
    return re.sub(r"\s", "", html.unescape(re.sub(r"<[^>]*>", "", own)))


@absent
def test_every_real_status_is_a_row() -> None:
    read = statuses()
    assert len(read) > 60
    for told in read:
        message, author = (
            rows(told, thread="t", is_under_ours=True) if is_open(told) else (None, None)
        )
        if message is None:
            assert rows(told) == []
            continue
        assert (message.message_id, message.parent_id) == (told["id"], told["in_reply_to_id"])
        assert (message.thread_id, message.author_id) == ("t", told["account"]["id"])
        assert message.created_at == datetime.fromisoformat(told["created_at"])
        assert (message.edited_at is None) == (told.get("edited_at") is None)
        assert message.likes == told["favourites_count"]
        warned = re.sub(r"\s", "", told["spoiler_text"])
        if letters(told["content"]):
            assert re.sub(r"\s", "", message.text) == warned + letters(told["content"])
        assert isinstance(author, Member) and author.handle == told["account"]["acct"]
        assert author.is_bot == told["account"]["bot"]


def is_open(told: Mapping[str, Any]) -> bool:
    return told["visibility"] in ("public", "unlisted")


@absent
def test_real_letters_are_never_stored() -> None:
    assert [one for one in statuses() if not is_open(one)]


@absent
def test_the_posts_above_a_real_one_name_its_thread() -> None:
    chains = [told for told in real() if told.url.endswith("/context") and told.body["descendants"]]
    assert chains
    for told in chains:
        above, below = told.body["ancestors"], told.body["descendants"]
        asked = told.url.split("/")[-2]
        state: Any = {"us": US, "seen": {}, "ours": {}, "due": []}
        server = answering({f"/api/v1/statuses/{asked}/context": told.body})
        first = above[0]["id"]
        probe = {**above[-1], "id": asked, "in_reply_to_id": above[-1]["id"]}
        assert mastodon.threads.thread(server, state, probe) == first
        assert {mastodon.threads.thread(server, state, one) for one in [*above, *below]} == {first}


def answering(bodies: Mapping[str, Any]) -> mastodon.Server:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=bodies[request.url.path])

    return mastodon.connect(OPTIONS, "token", Http(transport=httpx.MockTransport(answer)))


@absent
def test_real_notices_are_the_posts_they_tell_of() -> None:
    lists = [told.body for told in real() if "/v1/notifications?" in told.url]
    notices = [one for found in lists for one in found if one["type"] == "mention"]
    assert notices
    for notice in notices:
        message, _ = rows(notice)
        assert isinstance(message, Message) and message.message_id == notice["status"]["id"]


@absent
def test_the_real_next_page_and_the_real_end_of_a_wait() -> None:
    linked = [told for told in real() if 'rel="next"' in told.headers.get("link", "")]
    limited = [told for told in real() if "x-ratelimit-reset" in told.headers]
    assert linked and limited
    for told in linked:
        found = mastodon._next(Answer(told.body, 200, told.headers, NOW))
        assert found and found in {str(one.get("id")) for one in within(told.body)} | {found}
    for told in limited:
        reset = datetime.fromisoformat(told.headers["x-ratelimit-reset"])
        at = Answer(None, 429, told.headers, reset)
        assert asked_wait(at) == 0.0


@absent
def test_a_real_account_and_a_real_server_are_counted() -> None:
    accounts = [told.body for told in real() if re.search(r"/v1/accounts/\d+$", told.url)]
    assert accounts
    for told in accounts:
        member, audience = rows(told, "account")
        assert (member.member_id, audience.value) == (told["id"], told["followers_count"])
    (server, *_) = [told.body for told in real() if told.url.endswith("/nodeinfo/2.0")]
    (audience,) = rows(server, "server")
    assert audience.value == server["usage"]["users"]["total"] > 0


@absent
def test_a_real_refusal_names_the_source() -> None:
    (refused,) = [told for told in real() if told.status == 401]
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json=refused.body))
    server = mastodon.connect(OPTIONS, "bad-token", Http(transport=transport))
    with pytest.raises(mastodon.SourceFailed, match="^m: .*access token is invalid"):
        list(mastodon.pages(server, Window(OPTIONS, NOW, {})))
