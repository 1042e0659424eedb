"""The Matrix connector against a real Synapse on loopback; ``make test-matrix`` starts both.

Not named ``test_``: it runs only where ``run.sh`` says where the server listens. What is written
goes through Muster's own ``Api``, so that Synapse's genuine 429s are met and waited out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest

from muster.errors import RateLimited, SourceFailed
from muster.records import Audience, Deletion, Item, KnownMessage, Member, Message
from muster.sources import Window, matrix
from muster.sources._http import Api, Http

BASE_URL = os.environ["MUSTER_MATRIX_URL"]
V3 = "/_matrix/client/v3"
NUMBERS = count(1)


@dataclass
class Account:
    """Somebody on the server; ``waits`` are the seconds that Synapse asked for, all slept."""

    name: str
    token: str
    waits: list[float] = field(default_factory=list)

    def api(self) -> Api:
        return matrix.connect(options(), self.token, Http(sleep=self._sleep))

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        time.sleep(seconds)

    def call(self, path: str, **body: Any) -> Any:
        return self.api().post(f"{V3}{path}", body).body

    def send(self, room: str, body: str, kind: str = "m.room.message", **content: Any) -> str:
        told = {"msgtype": "m.text", "body": body, **content} if body else content
        return str(self.call(f"/rooms/{quote(room)}/send/{kind}", **told)["event_id"])


def options(**more: Any) -> matrix.Options:
    return matrix.Options(name="matrix", platform="matrix", base_url=BASE_URL, **more)


def registered(name: str) -> Account:
    """A new account, by the secret that this run shares with the server."""
    api, name = matrix.connect(options(), "none", Http()), f"{name}{next(NUMBERS)}"
    nonce = api.get("/_synapse/admin/v1/register").body["nonce"]
    signed = "\0".join((nonce, name, "password", "notadmin")).encode()
    mac = hmac.new(b"of-this-run", signed, hashlib.sha1).hexdigest()
    told = {"nonce": nonce, "username": name, "password": "password", "admin": False, "mac": mac}
    made = api.post("/_synapse/admin/v1/register", told).body
    return Account(str(made["user_id"]), str(made["access_token"]))


@dataclass
class Room:
    """A room with staff who made it, a member, and Muster's account, which reads."""

    id: str
    staff: Account
    anna: Account
    reader: Account


@pytest.fixture
def room() -> Room:
    staff, anna, reader = registered("desk"), registered("anna"), registered("muster")
    made = staff.call("/createRoom", preset="public_chat", name="Help")["room_id"]
    for one in (anna, reader):
        one.call(f"/join/{quote(made)}")
    return Room(made, staff, anna, reader)


def fetch(
    room: Room, cursor: Any = None, now: datetime | None = None, known: Iterable[Any] = ()
) -> tuple[list[Item], dict[str, Any]]:
    at = now or datetime.now(UTC)
    api = matrix.connect(options(), room.reader.token, Http(clock=lambda: at))
    held = [KnownMessage(f"{room.id}/{event}", "", when) for event, when in known]
    window = Window(options(), at, cursor or {}, known=lambda since: held)
    pages = list(matrix.pages(api, window))
    return [item for page in pages for item in page.items], dict(pages[-1].cursor or {})


def rows(items: Iterable[Item], kind: type[Any]) -> list[Any]:
    found = [row for item in items for row in matrix.rows(item, options())]
    return [row for row in found if isinstance(row, kind)]


def messages(items: Iterable[Item]) -> dict[str, Message]:
    return {row.message_id.rpartition("/")[2]: row for row in rows(items, Message)}


def test_what_is_written_is_read(room: Room) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    question = room.anna.send(room.id, "My **VPN** fails & I cannot log in 🙂")
    reply = {"m.in_reply_to": {"event_id": question}}
    answer = room.staff.send(room.id, "> <@anna> My VPN\n\nTry now", **{"m.relates_to": reply})
    thread = {"rel_type": "m.thread", "event_id": question, "is_falling_back": True, **reply}
    more = room.anna.send(room.id, "Works", **{"m.relates_to": thread})
    items, _ = fetch(room)
    found = messages(items)
    assert set(found) == {question, answer, more}
    assert found[question].text == "My VPN fails & I cannot log in 🙂"
    assert found[question].channel == "Help" and found[question].author_id == room.anna.name
    assert began <= found[question].created_at <= datetime.now(UTC)
    assert (found[answer].text, found[answer].author_role) == ("Try now", "staff")
    assert {row.thread_id for row in found.values()} == {f"{room.id}/{question}"}
    assert {found[one].parent_id for one in (answer, more)} == {f"{room.id}/{question}"}
    assert {row.member_id for row in rows(items, Member)} == {
        room.staff.name, room.anna.name, room.reader.name}  # fmt: skip
    assert {row.segment: row.value for row in rows(items, Audience)} == {"room=Help": 3, "all": 3}


def test_edits_and_deletions_are_read_by_the_next_fetch(room: Room) -> None:
    kept, edited, removed = (room.anna.send(room.id, text) for text in ("kept", "old", "spam"))
    items, cursor = fetch(room)
    before = messages(items)
    assert set(before) == {kept, edited, removed}
    room.anna.send(
        room.id, "* new", **{"m.new_content": {"msgtype": "m.text", "body": "new"},
                             "m.relates_to": {"rel_type": "m.replace", "event_id": edited}},
    )  # fmt: skip
    path = f"/rooms/{quote(room.id)}/redact/{quote(removed)}"
    room.staff.call(path, reason="spam")
    items, _ = fetch(room, cursor)
    after = messages(items)
    assert after[edited].text == "new" and after[edited].edited_at
    assert after[edited].created_at == before[edited].created_at
    assert after[kept] == before[kept] and removed not in after
    gone = {row.message_id: row for row in rows(items, Deletion)}
    assert set(gone) == {f"{room.id}/{removed}"}
    deleted = gone[f"{room.id}/{removed}"]
    assert before[removed].created_at == deleted.created_at <= deleted.deleted_at


def test_old_messages_are_asked_for_by_the_events_that_change_them(room: Room) -> None:
    edited, removed = room.anna.send(room.id, "old"), room.anna.send(room.id, "spam")
    _, cursor = fetch(room)
    for name in cursor["streams"]:  # as if all that were long ago
        cursor["streams"][name]["mark"][0] = (datetime.now(UTC) + timedelta(hours=7)).isoformat()
    room.anna.send(
        room.id, "* new", **{"m.new_content": {"msgtype": "m.text", "body": "new"},
                             "m.relates_to": {"rel_type": "m.replace", "event_id": edited}},
    )  # fmt: skip
    room.anna.call(f"/rooms/{quote(room.id)}/redact/{quote(removed)}")
    items, _ = fetch(room, cursor)
    assert messages(items)[edited].text == "new"
    assert {row.message_id for row in rows(items, Deletion)} == {f"{room.id}/{removed}"}


def test_reactions_and_lost_events_are_found_when_messages_come_of_age(room: Room) -> None:
    liked = room.anna.send(room.id, "thanks")
    for one in (room.staff, room.reader):
        reaction = {"rel_type": "m.annotation", "event_id": liked, "key": "👍"}
        one.send(room.id, "", "m.reaction", **{"m.relates_to": reaction})
    now = datetime.now(UTC)
    lost = "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    known = [(liked, now - timedelta(hours=25)), (lost, now - timedelta(hours=25))]
    items, _ = fetch(room, now=now, known=known)
    counted = [row for row in rows(items, Message) if row.likes]
    assert [(row.message_id, row.likes) for row in counted] == [(f"{room.id}/{liked}", 2)]
    assert [row.message_id for row in rows(items, Deletion)] == [f"{room.id}/{lost}"]


def test_synapse_s_limits_are_waited_for_as_long_as_it_says(room: Room) -> None:
    sent = [room.anna.send(room.id, f"message {number}") for number in range(14)]
    assert room.anna.waits, "Synapse limited nothing"
    assert all(0 < seconds < 30 for seconds in room.anna.waits)
    assert len(room.anna.waits) <= 6, "waited too little, and had to ask again and again"
    items, cursor = fetch(room)
    assert set(messages(items)) == set(sent)
    again, _ = fetch(room, cursor)
    assert {one.body["event_id"] for one in again if one.stream == "event"} >= set(sent)
    assert rows(again, Message) == rows(items, Message)


def test_a_long_wait_is_a_checkpoint_and_a_wrong_token_is_named(room: Room) -> None:
    api = matrix.connect(options(), room.staff.token, Http(patience=0.0))
    with pytest.raises(RateLimited) as caught:
        for number in range(40):
            api.post(f"{V3}/rooms/{quote(room.id)}/send/m.room.message",
                     {"msgtype": "m.text", "body": f"{number}"})  # fmt: skip
    assert 0 < caught.value.seconds < 60
    api = matrix.connect(options(), "syt_wrong_token", Http())
    with pytest.raises(SourceFailed, match="check the source's token") as refused:
        matrix.check(api, options())
    assert "wrong_token" not in str(refused.value)


def test_many_pages_are_read_to_the_beginning(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "PER_PAGE", 2)
    sent = [room.anna.send(room.id, f"message {number}") for number in range(7)]
    assert set(messages(fetch(room)[0])) == set(sent)


def test_the_check_tells_the_rooms(room: Room) -> None:
    api = matrix.connect(options(), room.reader.token, Http())
    assert matrix.check(api, options()) == f"reads Matrix as {room.reader.name}: 1 room"
    named = options(rooms=("#nowhere:loop.test",))
    with pytest.raises(SourceFailed, match="there is no room #nowhere:loop.test"):
        matrix.check(api, named)
