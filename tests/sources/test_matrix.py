"""Matrix: threads, edits, deletions, secrets, reactions, refusals, and a real server's answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fetching import Fetching, seen
from matrix_server import HOUR, ROOM, START, Server, member, small_server
from real import absent, exchanges

from muster.clock import DAY
from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Deletion, Item, Member, Message
from muster.sources import matrix

NOW = START + 18 * DAY
OPTIONS = matrix.Options(
    name="room", platform="matrix", base_url="https://matrix.example.org", token="env:T"
)
fetch = Fetching(matrix, OPTIONS, NOW)


def id_of(event: str) -> str:
    return f"{ROOM}/${event}"


def test_replies_and_threads_tell_their_conversation() -> None:
    found = fetch.messages(fetch(small_server())[0])
    question, answer = found[id_of("ask")], found[id_of("answer")]
    assert (question.text, question.edited_at) == ("Solved 🙂", START + 400 * HOUR)
    assert (question.thread_id, question.parent_id, question.kind) == (id_of("ask"), None, "post")
    assert question.channel == "Help" and question.created_at == START + HOUR
    assert (answer.text, answer.parent_id, answer.thread_id) == (
        "Try now",
        id_of("ask"),
        id_of("ask"),
    )
    assert (answer.author_role, answer.direction, answer.kind) == ("staff", "outbound", "reply")
    assert (found[id_of("more")].parent_id, found[id_of("more")].thread_id) == (
        id_of("ask"), id_of("ask"))  # fmt: skip
    assert (found[id_of("why")].parent_id, found[id_of("why")].thread_id) == (
        id_of("more"), id_of("ask"))  # fmt: skip
    assert question.url == "https://matrix.to/#/%21help%3Aexample.org/%24ask"


def test_notices_are_of_bots_and_secrets_have_no_text() -> None:
    found = fetch.messages(fetch(small_server())[0])
    assert found[id_of("status")].author_role == "bot"
    assert found[id_of("secret")].text is None
    assert id_of("edit") not in found and id_of("spam") not in found


def test_a_deletion_is_read_by_its_event() -> None:
    there = small_server()
    items, cursor = fetch(there)
    (gone,) = fetch.rows(items, Deletion)[:1]
    assert (gone.message_id, gone.created_at) == (id_of("spam"), START + 6 * HOUR)
    assert gone.deleted_at == START + 401 * HOUR
    there.redact("gone2", "$status", "desk", NOW + HOUR)
    items, _ = fetch(there, cursor, NOW + 2 * HOUR)
    assert id_of("status") in {row.message_id for row in fetch.rows(items, Deletion)}


def test_an_edit_of_an_old_message_is_read_and_its_neighbours_are_not() -> None:
    there = small_server()
    cursor = fetch(there)[1]
    there.edit("edit2", "$answer", "desk", NOW + HOUR, "Try tomorrow")
    there.reactions["$answer"] = 2
    found = fetch.messages(fetch(there, cursor, NOW + 2 * HOUR)[0])
    changed = found[id_of("answer")]
    assert (changed.text, changed.edited_at, changed.likes) == ("Try tomorrow", NOW + HOUR, 2)
    assert id_of("more") not in found


def test_an_event_that_was_delivered_late_is_read() -> None:
    there = small_server()
    there.per_page = 2
    events = there.events[ROOM]
    there.send("between", "bela", START + 399 * HOUR, "Hello")
    events.insert(-4, events.pop())  # below the edit: a page that holds nothing new
    cursor = fetch(there)[1]
    there.send("slow", "bela", START + 398 * HOUR, "From another server")
    events.insert(-5, events.pop())
    assert id_of("slow") in fetch.messages(fetch(there, cursor, NOW + HOUR)[0])


def test_reactions_are_counted_and_missing_events_deleted_when_messages_come_of_age() -> None:
    there = small_server()
    cursor = fetch(there)[1]
    there.reactions["$late"] = 3
    there.hidden = {"$why"}
    at = START + 402 * HOUR
    known = seen((id_of("late"), "", at), (id_of("lost"), "", at), (id_of("why"), "", at),
                 ("!other:example.org/$x", "", at))  # fmt: skip
    items, _ = fetch(there, cursor, at + 3 * DAY, known=known)
    assert fetch.messages(items)[id_of("late")].likes == 3
    gone = [item for item in items if item.stream == "gone"]
    assert [row.message_id for row in fetch.rows(gone, Deletion)] == [id_of("lost")]


def test_members_moderators_and_sizes() -> None:
    items = fetch(small_server())[0]
    members = {row.member_id: row for row in fetch.rows(items, Member)}
    assert set(members) == {"@anna:example.org", "@desk:example.org"}
    assert members["@desk:example.org"].role == "staff"
    assert members["@anna:example.org"].handle == "anna:example.org"
    assert members["@anna:example.org"].joined_at == START
    told = {(row.account, row.segment): row.value for row in fetch.rows(items, Audience)}
    assert told == {("matrix.example.org", "room=Help"): 2, ("matrix.example.org", "all"): 2}
    there = small_server()
    there.state[ROOM].append(member("new", START, replaces_state="$before"))
    renamed = {row.member_id: row for row in fetch.rows(fetch(there)[0], Member)}
    assert renamed["@new:example.org"].joined_at is None


def test_rooms_are_named_by_alias_and_must_be_joined() -> None:
    named = Fetching(matrix, OPTIONS.model_copy(update={"rooms": ("#help:example.org",)}), NOW)
    assert named.messages(named(small_server())[0])
    there = small_server()
    there.joined = []
    with pytest.raises(SourceFailed, match="is not in #help:example.org: invite it"):
        named(there)
    with pytest.raises(SourceFailed, match="@muster:example.org is in no room"):
        matrix.check(fetch.api(there), OPTIONS)
    unknown = Fetching(matrix, OPTIONS.model_copy(update={"rooms": ("#no:example.org",)}), NOW)
    with pytest.raises(SourceFailed, match="no room #no:example.org: check rooms"):
        unknown(small_server())
    assert matrix.check(fetch.api(small_server()), OPTIONS) == (
        "reads Matrix as @muster:example.org: 1 room")  # fmt: skip


def test_a_backfill_keeps_to_its_window() -> None:
    window = {"since": START + 90 * HOUR / 60, "until": START + 4 * HOUR}
    items, _ = fetch(small_server(), **window)
    assert set(fetch.messages(items)) == {id_of("answer"), id_of("more")}


def real(part: str) -> list[Any]:
    return [one for one in exchanges("matrix", status=None) if part in one.path]


@absent
def test_every_event_of_a_real_room_is_mapped() -> None:
    found = [event for one in real("/messages") for event in one.body.get("chunk", ())]
    found += [event for one in real("/relations/") for event in one.body.get("chunk", ())]
    said = [event for event in found if event["type"] == "m.room.message"]
    assert len(said) >= 10
    for event in found:
        room = {"id": event["room_id"], "name": "Help", "staff": ["@support:loop.test"]}
        rows = list(matrix.rows(Item("event", event, NOW, {"room": room}), OPTIONS))
        if event["type"] != "m.room.message":
            assert not [row for row in rows if isinstance(row, Message)]
            continue
        (message,) = rows
        assert isinstance(message, Message)
        relation = event["content"].get("m.relates_to") or {}
        root = relation.get("event_id") or event["event_id"]
        assert message.message_id == f"{event['room_id']}/{event['event_id']}"
        assert message.thread_id == f"{event['room_id']}/{root}"
        assert (message.parent_id is None) == (not relation)
        assert message.author_id == event["sender"] and message.text == event["content"]["body"]
        assert message.created_at == datetime.fromtimestamp(event["origin_server_ts"] / 1000, UTC)
        assert (message.author_role == "staff") == (event["sender"] == "@support:loop.test")


@absent
def test_a_real_room_is_read_page_after_page_to_its_beginning() -> None:
    told = {one.query.get("from"): one.body for one in real("/messages")}
    room = real("/messages")[0].body["chunk"][0]["room_id"]
    last = next(iter(told.values()))["chunk"][0]["origin_server_ts"]

    def server(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("joined_rooms"):
            return httpx.Response(200, json={"joined_rooms": [room]})
        if request.url.path.endswith("/state"):
            return httpx.Response(200, json=[])
        body = told.get(request.url.params.get("from"))
        return httpx.Response(200 if body else 404, json=body or {"errcode": "M_NOT_FOUND"})

    now = datetime.fromtimestamp(last / 1000, UTC) + HOUR
    items, _ = fetch(server, now=now)
    all_said = {event["event_id"] for body in told.values() for event in body["chunk"]
                if event["type"] == "m.room.message"}  # fmt: skip
    assert {one.rpartition("/")[2] for one in fetch.messages(items)} == all_said


@absent
def test_real_refusals_are_understood() -> None:
    limits = exchanges("matrix", status=429)
    assert len(limits) >= 2
    for one in limits:
        answer = httpx.Response(429, headers=one.headers, json=one.body)
        with pytest.raises(RateLimited) as caught:
            fetch(lambda request, answer=answer: answer)
        assert caught.value.seconds == one.body["retry_after_ms"] / 1000
    (bad,) = [one for one in exchanges("matrix", status=401) if one.path.endswith("/sync")]
    with pytest.raises(SourceFailed, match="Invalid access token passed.*check the source's token"):
        fetch(lambda request: httpx.Response(401, json=bad.body))


def test_a_server_without_rooms_is_read() -> None:
    there = Server(joined=[])
    assert fetch(there)[0] == []
