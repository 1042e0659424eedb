"""A small Slack workspace in memory, as a server: what its Web API answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCOPES = "channels:history,channels:read,groups:read,users:read"


def ts(at: datetime, part: int = 100) -> str:
    return f"{int(at.timestamp())}.{part:06d}"


@dataclass
class Workspace:
    """``per_page`` bounds every page; ``refused`` maps a method to the error it answers."""

    per_page: int = 3
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    strangers: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    groups: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, dict[str, Any]] = field(default_factory=dict)
    scopes: str = SCOPES
    asked: list[str] = field(default_factory=list)

    def join(self, id_: str, name: str, **facts: Any) -> None:
        self.users[id_] = {
            "id": id_, "name": name, "deleted": False, "is_bot": False, "is_admin": False,
            "is_owner": False, "locale": "de-DE",
            "profile": {"display_name": name.title(), "email": "p@example.org"}, **facts,
        }  # fmt: skip

    def open(self, id_: str, name: str, **facts: Any) -> None:
        self.channels[id_] = {
            "id": id_, "name": name, "is_member": True, "is_archived": False, "is_general": False,
            "num_members": 4, **facts,
        }  # fmt: skip
        self.messages[id_] = {}

    def say(self, channel: str, at: datetime, user: str | None, text: str, **facts: Any) -> str:
        """A message; with ``thread`` a reply, which its root then tells of."""
        stamp, thread = ts(at), facts.pop("thread", None)
        told = {"type": "message", "user": user, "text": text, "ts": stamp, **facts}
        if thread:
            root = self.messages[channel][thread]
            root.update(thread_ts=thread, latest_reply=stamp)
            root["reply_count"] = root.get("reply_count", 0) + 1
            told["thread_ts"] = thread
        self.messages[channel][stamp] = told
        return stamp

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method, query = request.url.path.removeprefix("/api/"), request.url.params
        self.asked.append(f"{method}?{query}")
        if method in self.refused:
            return httpx.Response(200, json={"ok": False, **self.refused[method]})
        body = self._answer(method, query)
        return httpx.Response(200, headers={"x-oauth-scopes": self.scopes}, json=body)

    def _answer(self, method: str, query: httpx.QueryParams) -> dict[str, Any]:
        if method == "auth.test":
            return {"ok": True, "url": "https://campus.example.org/", "team": "Campus",
                    "user": "muster", "team_id": "T1", "user_id": "U9"}  # fmt: skip
        if method == "users.info":
            found = self.strangers.get(query["user"])
            return {"ok": True, "user": found} if found else _no("user_not_found")
        if method == "usergroups.list":
            return {"ok": True, "usergroups": self.groups}
        if method == "users.list":
            return self._page("members", list(self.users.values()), query)
        if method == "conversations.list":
            return self._page("channels", list(self.channels.values()), query)
        there = self.messages.get(query["channel"])
        if there is None:
            return _no("channel_not_found")
        if method == "conversations.history":
            top = [one for one in there.values() if _is_top(one) and _is_inside(one, query)]
            return self._page("messages", sorted(top, key=_ts, reverse=True), query)
        root = query["ts"]
        thread = [one for one in there.values() if one.get("thread_ts", one["ts"]) == root]
        if root not in there:
            return _no("thread_not_found")
        return self._page("messages", sorted(thread, key=_ts), query)

    def _page(self, key: str, found: list[Any], query: httpx.QueryParams) -> dict[str, Any]:
        if not query.get("cursor", "0").isdecimal():
            return _no("invalid_cursor")
        start = int(query.get("cursor", 0))
        end = start + self.per_page
        token = str(end) if end < len(found) else ""
        return {"ok": True, key: found[start:end], "has_more": bool(token),
                "response_metadata": {"next_cursor": token}}  # fmt: skip


def _no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


def _ts(told: dict[str, Any]) -> str:
    return str(told["ts"])


def _is_top(told: dict[str, Any]) -> bool:
    is_root = told.get("thread_ts", told["ts"]) == told["ts"]
    return is_root or told.get("subtype") == "thread_broadcast"


def _is_inside(told: dict[str, Any], query: httpx.QueryParams) -> bool:
    return query.get("oldest", "0") <= told["ts"] <= query.get("latest", "9")


def small_workspace() -> Workspace:
    """A help channel: threads, an edit, a bot, a tombstone, a stranger, an accepted answer."""
    there = Workspace()
    there.join("U1", "desk", is_admin=True)
    there.join("U2", "anna")
    there.join("U3", "bela", deleted=True)
    there.join("U4", "helper", is_bot=True)
    there.join("USLACKBOT", "slackbot")
    there.strangers["U7"] = {"id": "U7", "name": "guest", "profile": {}}
    there.open("C1", "help", is_general=True)
    there.open("C2", "random", is_member=False, num_members=9)
    there.say("C1", START, "U2", "joined", subtype="channel_join")
    root = there.say("C1", START + HOUR, "U2", "My *VPN* fails &amp; <@U1> sleeps in <#C2>")
    there.say("C1", START + 2 * HOUR, "U1", "&gt; My VPN fails\nTry <https://example.org|this>",
              thread=root, edited={"user": "U1", "ts": ts(START + 3 * HOUR)},
              reactions=[{"name": "white_check_mark", "users": ["U2"], "count": 1}])  # fmt: skip
    there.say(
        "C1", START + 2 * HOUR + HOUR / 2, "U2", "Works!", thread=root, subtype="thread_broadcast"
    )
    there.say("C1", START + 4 * HOUR, None, "Backup done", subtype="bot_message", bot_id="B1",
              username="cron")  # fmt: skip
    gone = there.say("C1", START + 5 * HOUR, "USLACKBOT", "This message was deleted.",
                     subtype="tombstone")  # fmt: skip
    there.say("C1", START + 6 * HOUR, "U7", "Same here", thread=gone)
    there.say("C1", START + 400 * HOUR, "U3", "Printer?", reactions=[{"name": "+1", "count": 2}])
    there.say("C1", START + 401 * HOUR, "U4", "See the handbook", bot_id="B4")
    there.say("C1", START + 402 * HOUR, None, "", files=[{"title": "screen.png"}])
    return there
