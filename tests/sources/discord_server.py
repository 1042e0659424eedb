"""A small Discord server in memory, as a server: what its REST API answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from muster.sources._discord_rows import snowflake

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
GUILD = "100"
BASE = "/api/v10"


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


@dataclass
class Server:
    """``per_page`` bounds every page; ``closed`` channels refuse us, ``blind`` ones look empty."""

    per_page: int = 2
    flags: int = 0x40000 | 0x8000
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    threads: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    blind: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def join(self, id_: str, name: str, *roles: str, **facts: Any) -> None:
        user = {"id": id_, "username": name, "global_name": name.title(), **facts}
        self.members[id_] = {"user": user, "nick": None, "roles": list(roles),
                             "joined_at": stamp(START - 100 * HOUR)}  # fmt: skip

    def open(self, id_: str, name: str, type_: int = 0, **facts: Any) -> None:
        self.channels[id_] = {"id": id_, "name": name, "type": type_, "last_message_id": None,
                              "guild_id": GUILD, "parent_id": None, **facts}  # fmt: skip
        self.messages[id_] = {}

    def thread(self, id_: str, parent: str, name: str, archived: datetime | None = None,
               **facts: Any) -> None:  # fmt: skip
        more = {"archived": bool(archived), "locked": bool(archived), "auto_archive_duration": 60,
                "archive_timestamp": stamp(archived or START)}  # fmt: skip
        self.threads[id_] = {"id": id_, "parent_id": parent, "name": name, "type": 11,
                             "guild_id": GUILD, "last_message_id": None, "thread_metadata": more,
                             **facts}  # fmt: skip
        self.messages[id_] = {}

    def say(self, channel: str, at: datetime, who: str, content: str, **facts: Any) -> str:
        """A message; ``answers`` is the id it replies to."""
        answers, id_ = facts.pop("answers", None), facts.pop("id", snowflake(at))
        told = {"id": id_, "channel_id": channel, "type": 19 if answers else 0, "content": content,
                "timestamp": stamp(at), "edited_timestamp": None, "mentions": [], "embeds": [],
                "attachments": [], "author": self.members[who]["user"], **facts}  # fmt: skip
        if answers:
            told["message_reference"] = {"message_id": answers, "channel_id": channel}
        self.messages[channel][id_] = told
        (self.channels.get(channel) or self.threads[channel])["last_message_id"] = id_
        return str(id_)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path.removeprefix(BASE), request.url.params
        self.asked.append(f"{path}?{query}")
        body = self._answer(path.strip("/").split("/"), query)
        if body is None:
            return httpx.Response(404, json={"message": "Unknown Message", "code": 10008})
        if body == 403:
            return httpx.Response(403, json={"message": "Missing Access", "code": 50001})
        return httpx.Response(200, json=body)

    def _answer(self, parts: list[str], query: httpx.QueryParams) -> Any:
        match parts:
            case ["guilds", _]:
                return {"id": GUILD, "name": "Campus", "owner_id": "1", "roles": ROLES,
                        "approximate_member_count": 1000 + len(self.members)}  # fmt: skip
            case ["applications", "@me"]:
                return {"id": "5", "flags": self.flags}
            case ["guilds", _, "channels"]:
                return list(self.channels.values())
            case ["guilds", _, "threads", "active"]:
                return {"threads": [one for one in self.threads.values() if not _is_over(one)]}
            case ["guilds", _, "members"]:
                return list(self.members.values()) if self.flags & 0x8000 else 403
        return self._of_channel(parts[1], parts[2:], query)

    def _of_channel(self, id_: str, parts: list[str], query: httpx.QueryParams) -> Any:
        if id_ in self.closed:
            return 403
        match parts:
            case []:
                return self.threads.get(id_) or self.channels.get(id_)
            case ["messages"]:
                return self._page(id_, int(query["after"]))
            case ["messages", message]:
                return self.messages[id_].get(message)
        return self._archived(id_, query.get("before", "9"))

    def _page(self, id_: str, after: int) -> Any:
        if id_ not in self.messages:
            return None
        above = sorted(int(one) for one in self.messages[id_] if int(one) > after)
        newest_first = above[: self.per_page][::-1]
        return [] if id_ in self.blind else [self.messages[id_][str(one)] for one in newest_first]

    def _archived(self, id_: str, before: str) -> Any:
        over = [one for one in self.threads.values() if _is_over(one) and one["parent_id"] == id_]
        over = sorted((one for one in over if _end(one) < before), key=_end, reverse=True)
        return {"threads": over[: self.per_page], "has_more": len(over) > self.per_page}


ROLES = [
    {"id": "100", "name": "@everyone", "permissions": "1024"},
    {"id": "201", "name": "helpers", "permissions": str(0x2000)},
    {"id": "202", "name": "beta", "permissions": "1024"},
]


def _is_over(thread: dict[str, Any]) -> bool:
    return bool(thread["thread_metadata"]["archived"])


def _end(thread: dict[str, Any]) -> str:
    return str(thread["thread_metadata"]["archive_timestamp"])


def small_server() -> Server:
    """A help channel, a thread from a message, a forum: edits, a bot, a webhook, replies."""
    there = Server()
    there.join("1", "desk", "201")
    there.join("2", "anna")
    there.join("3", "bela", "202")
    there.join("4", "helper", bot=True)
    there.join("5", "deleted_user_5")
    there.open("10", "help")
    there.open("11", "ideas", 15, available_tags=[{"id": "77", "name": "solved"}])
    there.open("12", "voice", 2)
    there.open("13", "category", 4)
    root = there.say("10", START, "2", "My **VPN** fails, <@1>? See <#11>",
                     mentions=[{"id": "1", "username": "desk"}])  # fmt: skip
    there.say("10", START + HOUR, "1", "> My VPN fails\nTry now <:wink:9>", answers=root,
              edited_timestamp=stamp(START + 2 * HOUR), reactions=[{"count": 3}])  # fmt: skip
    there.say("10", START + 2 * HOUR, "2", "", type=7)
    there.say("10", START + 3 * HOUR, "4", "", embeds=[{"title": "Status", "description": "fine"}])
    start = there.say("10", START + 400 * HOUR, "3", "Printer?")
    there.thread(start, "10", "Printer?")
    there.say(start, START + 401 * HOUR, "1", "Which one?")
    there.say(start, START + 402 * HOUR, "5", "The new one")
    for hours, title, end in ((10, "First", 58), (20, "Second", 78), (30, "Third", 78)):
        post = snowflake(START + hours * HOUR)
        there.thread(post, "11", title, START + end * HOUR, applied_tags=["77"])
        there.say(post, START + hours * HOUR, "2", f"What of {title}?")
        there.say(post, START + (hours + 1) * HOUR, "1", "Good")
    return there
