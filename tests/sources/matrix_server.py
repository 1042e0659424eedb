"""A small Matrix home server in memory, as a server: what its client-server API answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROOM = "!help:example.org"
TOLD = ("m.room.message", "m.room.encrypted", "m.sticker", "m.room.redaction", "m.room.member")


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@dataclass
class Server:
    """``per_page`` bounds a page of messages; ``hidden`` events may not be seen."""

    per_page: int = 4
    joined: list[str] = field(default_factory=lambda: [ROOM])
    state: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reactions: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def send(self, name: str, who: str, at: datetime, body: str | None, **facts: Any) -> str:
        """A message; ``relates`` is its relation, ``kind`` its type; the id is ``$name``."""
        kind, relates = facts.pop("kind", "m.room.message"), facts.pop("relates", None)
        content = {"msgtype": "m.text", "body": body, **facts.pop("content", {})} if body else {}
        if relates:
            content["m.relates_to"] = relates
        event = {"event_id": f"${name}", "type": kind, "sender": f"@{who}:example.org",
                 "origin_server_ts": millis(at), "content": content, "unsigned": {},
                 **facts}  # fmt: skip
        self.events.setdefault(ROOM, []).append(event)
        return f"${name}"

    def edit(self, name: str, target: str, who: str, at: datetime, body: str) -> None:
        relates = {"rel_type": "m.replace", "event_id": target}
        new = {"msgtype": "m.text", "body": body}
        self.send(name, who, at, f"* {body}", relates=relates, content={"m.new_content": new})
        self._event(target)["unsigned"]["m.relations"] = {"m.replace": self.events[ROOM][-1]}

    def redact(self, name: str, target: str, who: str, at: datetime) -> None:
        self.send(name, who, at, None, kind="m.room.redaction")
        self.events[ROOM][-1]["content"] = {"redacts": target}
        removed = self._event(target)
        removed.update(content={}, unsigned={"redacted_because": self.events[ROOM][-1]})

    def _event(self, target: str) -> dict[str, Any]:
        return next(one for one in self.events[ROOM] if one["event_id"] == target)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.raw_path.decode().partition("?")[0], request.url.params
        parts = [unquote(one) for one in path.split("/")][4:]
        self.asked.append("/".join(parts))
        body = self._answer(parts, query)
        if body == 403:
            return httpx.Response(403, json={"errcode": "M_FORBIDDEN", "error": "You aren't in it"})
        if body is None:
            return httpx.Response(404, json={"errcode": "M_NOT_FOUND", "error": "Event not found."})
        return httpx.Response(200, json=body)

    def _answer(self, parts: list[str], query: httpx.QueryParams) -> Any:
        match parts:
            case ["account", "whoami"]:
                return {"user_id": "@muster:example.org", "device_id": "D"}
            case ["joined_rooms"]:
                return {"joined_rooms": self.joined}
            case ["directory", "room", alias]:
                return {"room_id": ROOM} if alias == "#help:example.org" else None
            case ["rooms", room, "state"]:
                return self.state[room]
            case ["rooms", room, "messages"]:
                return self._page(room, int(query.get("from", len(self.events[room]))))
            case ["rooms", room, "event", id_]:
                found = [one for one in self.events[room] if one["event_id"] == id_]
                return 403 if id_ in self.hidden else found[0] if found else None
            case ["rooms", _, "relations", id_, "m.annotation", "m.reaction"]:
                found = [{"type": "m.reaction"} for _ in range(self.reactions.get(id_, 0))]
                return {"chunk": found}
        raise LookupError(parts)

    def _page(self, room: str, before: int) -> dict[str, Any]:
        start = max(before - self.per_page, 0)
        chunk = [one for one in self.events[room][start:before][::-1] if one["type"] in TOLD]
        return {"chunk": chunk, "start": str(before), **({"end": str(start)} if start else {})}


def member(who: str, at: datetime, membership: str = "join", **unsigned: Any) -> dict[str, Any]:
    name = f"@{who}:example.org"
    return {"event_id": f"$join-{who}", "type": "m.room.member", "sender": name, "state_key": name,
            "origin_server_ts": millis(at), "unsigned": unsigned,
            "content": {"membership": membership, "displayname": who.title()}}  # fmt: skip


def small_server() -> Server:
    """A room: a thread, replies, an edit, a deletion, a notice, a secret, who joined."""
    there = Server()
    there.state[ROOM] = [
        {"type": "m.room.create", "sender": "@founder:example.org", "state_key": "", "content": {}},
        {"type": "m.room.name", "state_key": "", "content": {"name": "Help"}},
        {"type": "m.room.power_levels", "state_key": "", "content": {"users": {
            "@desk:example.org": 50, "@anna:example.org": 0}}},
        member("desk", START), member("anna", START), member("bela", START, "leave"),
    ]  # fmt: skip
    there.events[ROOM] = [member("anna", START)]
    ask = there.send("ask", "anna", START + HOUR, "My **VPN** fails & I cannot log in")
    reply = {"m.in_reply_to": {"event_id": ask}}
    there.send("answer", "desk", START + 2 * HOUR, "> <@anna:example.org> My VPN\n\nTry now",
               relates=reply)  # fmt: skip
    thread = {"rel_type": "m.thread", "event_id": ask}
    there.send("more", "bela", START + 3 * HOUR, "Same here",
               relates={**thread, "m.in_reply_to": {"event_id": "$answer"},
                        "is_falling_back": True})  # fmt: skip
    there.send("why", "desk", START + 4 * HOUR, "Since when?",
               relates={**thread, "m.in_reply_to": {"event_id": "$more"}})  # fmt: skip
    there.send("status", "status", START + 5 * HOUR, "All fine", content={"msgtype": "m.notice"})
    there.send("spam", "bela", START + 6 * HOUR, "Buy this")
    there.send("secret", "anna", START + 7 * HOUR, None, kind="m.room.encrypted")
    there.edit("edit", ask, "anna", START + 400 * HOUR, "Solved 🙂")
    there.redact("gone", "$spam", "desk", START + 401 * HOUR)
    there.send("late", "bela", START + 402 * HOUR, "Printer?")
    return there
