"""The Mastodon connector against Takahe on loopback; ``make test-mastodon`` starts both.

Not named ``test_``: it runs only where ``run.sh`` says where the server listens and who writes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from muster.clock import system_clock
from muster.errors import SourceFailed
from muster.records import (
    TABLE_OF,
    TABLES,
    Audience,
    Deletion,
    KnownMessage,
    Member,
    Message,
    Page,
    Row,
)  # fmt: skip
from muster.sources import Window, mastodon
from muster.sources._http import Http

BASE_URL = os.environ["MUSTER_MASTODON_URL"]
TOKENS = dict(line.split() for line in os.environ["MUSTER_MASTODON_PEOPLE"].splitlines() if line)
NUMBERS = count(1)


def call(who: str, method: str, path: str, **body: Any) -> Any:
    """What the server answers to somebody."""
    signed = {"authorization": f"Bearer {TOKENS[who]}"}
    url = f"{BASE_URL}/api/v1/{path}"
    answer = httpx.request(method, url, headers=signed, json=body or None, timeout=60)
    answer.raise_for_status()
    return answer.json()


def post(who: str, text: str, above: Any = None, **fields: Any) -> Any:
    """Write a post."""
    reply = {"in_reply_to_id": above["id"]} if above else {}
    return call(who, "POST", "statuses", status=text, **reply, **fields)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what the server does in its own time: telling, indexing, deleting."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the server does not catch up"
        time.sleep(0.2)


def is_told_of(written: Any) -> bool:
    notices = call("desk", "GET", "notifications?types[]=mention")
    return written["id"] in [one["status"]["id"] for one in notices if one.get("status")]


def options(*terms: str) -> mastodon.Options:
    return mastodon.Options(
        name="fedi",
        platform="mastodon",
        account="desk@social.example",
        base_url=BASE_URL,
        terms=terms,
    )


def fetch(
    cursor: Any = None, known: tuple[KnownMessage, ...] = (), later: timedelta = timedelta(0),
    terms: tuple[str, ...] = (),
) -> list[Page]:  # fmt: skip
    chosen = options(*terms)
    with mastodon.connect(chosen, TOKENS["desk"], Http()) as api:
        window = Window(chosen, system_clock() + later, cursor or {}, known=lambda at: known)
        pages = mastodon.pages(api, window)
        return [replace(one, cursor=json.loads(json.dumps(one.cursor))) for one in pages]


def merged(pages: list[Page]) -> dict[tuple[Any, ...], Row | Deletion]:
    """Rows by primary key, the later over the earlier."""
    found: dict[tuple[Any, ...], Row | Deletion] = {}
    for item in (item for one in pages for item in one.items):
        for row in mastodon.rows(item, options()):
            if isinstance(row, Deletion):
                found["deletion", row.message_id] = row
            else:
                table = TABLES[TABLE_OF[type(row)]]
                found[table.name, *(getattr(row, name) for name in table.key)] = row
    return found


def messages(pages: list[Page]) -> dict[str, Message]:
    return {one.message_id: one for one in merged(pages).values() if isinstance(one, Message)}


def known(message: Message) -> KnownMessage:
    return KnownMessage(message.message_id, message.thread_id, message.created_at)


def test_a_conversation_under_our_post() -> None:
    root = post("desk", "The Wi-Fi works again & stays")
    first = post("mira", "Not for <me>", root)
    second = post("jonas", "Nor for me", first)
    ours = post("desk", "Which building, both of you?", second)
    found = messages(fetch())
    ids = [written["id"] for written in (root, first, second, ours)]
    assert [found[one].parent_id for one in ids] == [None, *ids[:3]]
    assert {found[one].thread_id for one in ids} == {root["id"]}
    assert [found[one].direction for one in ids] == ["outbound", "inbound", "inbound", "outbound"]
    assert [found[one].author_role for one in ids] == ["staff", "member", "member", "staff"]
    assert [found[one].text for one in ids][:2] == ["The Wi-Fi works again & stays", "Not for <me>"]
    created = [found[one].created_at for one in ids]
    assert created == sorted(created)


def test_mentions_are_inbound_and_known_by_their_thread() -> None:
    other = post("jonas", "Where do I get a card?")
    called = post("mira", "Ask @desk@social.example 😟", other)
    until(lambda: is_told_of(called))
    found = messages(fetch())
    assert (found[called["id"]].direction, found[called["id"]].kind) == ("inbound", "reply")
    assert found[called["id"]].thread_id == other["id"]
    assert "😟" in (found[called["id"]].text or "")
    assert other["id"] not in found


def test_letters_are_never_read() -> None:
    letter = post("mira", "@desk@social.example my password is x", visibility="direct")
    until(lambda: is_told_of(letter))
    assert letter["id"] not in messages(fetch())


def test_members_with_names() -> None:
    root = post("desk", "Hello")
    post("mira", "Hello desk", root)
    rows = [one for one in merged(fetch()).values() if isinstance(one, Member)]
    assert {one.display_name: one.role for one in rows}.items() >= {
        ("Desk", "staff"), ("Mira", "member")}  # fmt: skip


def test_a_hashtag_finds_ambient_posts() -> None:
    tag = f"zebra{next(NUMBERS)}"
    written = post("mira", f"Has anybody seen the #{tag}?")
    until(lambda: bool(call("desk", "GET", f"timelines/tag/{tag}")))
    found = messages(fetch(terms=(f"#{tag}",)))[written["id"]]
    assert (found.direction, found.tags) == ("ambient", (tag,))


def test_more_than_a_page_and_a_kill_between() -> None:
    written = {post("desk", f"Notice {number}")["id"] for number in range(45)}
    whole = fetch()
    assert written <= set(messages(whole))
    before = whole[:2]
    assert 0 < len(written & set(messages(before))) < len(written)
    after = fetch(before[-1].cursor)
    assert set(messages(before + after)) == set(messages(whole))


def test_fetching_twice_gives_the_same() -> None:
    root = post("desk", "Maintenance on Saturday")
    post("mira", "All day?", root)
    first = fetch()
    second = fetch(first[-1].cursor)
    assert {**messages(first), **messages(second)} == messages(first)


def test_an_edited_post_keeps_its_id() -> None:
    written = post("desk", "Closed on Firday")
    first = fetch()
    call("desk", "PUT", f"statuses/{written['id']}", status="Closed on Friday")
    after = messages(fetch(first[-1].cursor))[written["id"]]
    assert messages(first)[written["id"]].edited_at is None
    assert (after.text, after.edited_at is None) == ("Closed on Friday", False)
    assert after.created_at == messages(first)[written["id"]].created_at


def test_a_deleted_post_is_a_deletion() -> None:
    root = post("desk", "Exams start on Monday")
    reply = post("mira", "At eight?", root)
    first = fetch()
    before = messages(first)
    call("mira", "DELETE", f"statuses/{reply['id']}")
    until(lambda: not is_there(reply))
    now = tuple(known(before[one["id"]]) for one in (root, reply))
    rows = merged(fetch(first[-1].cursor, now, later=timedelta(days=1)))
    gone = [row for row in rows.values() if isinstance(row, Deletion)]
    assert [row.message_id for row in gone] == [reply["id"]]
    assert gone[0].created_at == before[reply["id"]].created_at


def is_there(written: Any) -> bool:
    try:
        call("desk", "GET", f"statuses/{written['id']}")
    except httpx.HTTPStatusError:
        return False
    return True


def test_followers() -> None:
    desk = call("desk", "GET", "accounts/verify_credentials")
    call("mira", "POST", f"accounts/{desk['id']}/follow", reblogs=True)
    until(lambda: bool(call("desk", "GET", f"accounts/{desk['id']}")["followers_count"]))
    (audience,) = [one for one in merged(fetch()).values() if isinstance(one, Audience)]
    assert (audience.account, audience.metric, audience.value) == (desk["id"], "followers", 1)


def test_a_wrong_token_is_one_clear_line() -> None:
    api = mastodon.connect(options(), "no-such-token", Http())
    with api, pytest.raises(SourceFailed, match="^fedi: .*scope read:"):
        mastodon.check(api, options())
