"""A Telegram bot in memory, as a server: what the Bot API answers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Campus help", "username": "campus"}
CHANNEL = {"id": -1009876543210, "type": "channel", "title": "Campus news"}


def person(id_: int, name: str, **facts: Any) -> dict[str, Any]:
    return {"id": id_, "is_bot": False, "first_name": name.title(), "username": name, **facts}


DESK, ANNA, BELA = person(1, "desk"), person(11, "anna", language_code="fi"), person(12, "bela")


@dataclass
class Bot:
    """``forgets``: as the real one, it gives no update again that a higher offset confirmed."""

    per_page: int = 3
    forgets: bool = False
    sees_all: bool = True
    status: str = "member"
    updates: list[dict[str, Any]] = field(default_factory=list)
    admins: list[dict[str, Any]] = field(default_factory=lambda: [{"user": DESK}])
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    last: int = 999

    def tell(self, kind: str, at: datetime, **facts: Any) -> None:
        told = {"chat": GROUP, "date": int(at.timestamp()), **facts}
        self.last += 1
        self.updates.append({"update_id": self.last, kind: told})

    def say(self, number: int, who: Any, at: datetime, text: str, **facts: Any) -> None:
        kind = facts.pop("kind", "message")
        self.tell(kind, at, message_id=number, text=text, **({"from": who} if who else {}), **facts)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method, query = request.url.path.rpartition("/")[2], request.url.params
        self.asked.append(f"{method}?{query}")
        if method in self.refused:
            status, said = self.refused[method]
            return _no(status, said)
        return httpx.Response(200, json={"ok": True, "result": self._answer(method, query)})

    def _answer(self, method: str, query: httpx.QueryParams) -> Any:
        if method == "getMe":
            return {
                **person(99, "muster_bot", is_bot=True),
                "can_read_all_group_messages": self.sees_all,
            }
        if method == "getChatMember":
            return {"status": self.status}
        if method == "getChatMemberCount":
            return 120 if query["chat_id"] == str(GROUP["id"]) else 4000
        if method == "getChatAdministrators":
            return self.admins
        offset = int(query.get("offset", 0))
        waiting = [one for one in self.updates if one["update_id"] >= offset]
        if self.forgets:
            self.updates = waiting
        return waiting[: self.per_page]


def _no(status: int, said: str, **parameters: Any) -> httpx.Response:
    told = {"ok": False, "error_code": status, "description": said, "parameters": parameters}
    return httpx.Response(status, json=told)


def small_bot() -> Bot:
    """A group and a channel: replies, an edit, an anonymous admin, a comment, joins."""
    there = Bot()
    there.say(50, ANNA, START, "My VPN fails & I cannot log in")
    there.say(51, DESK, START + HOUR, "My VPN fails\nTry now", reply_to_message={"message_id": 50},
              entities=[{"type": "blockquote", "offset": 0, "length": 12}])  # fmt: skip
    there.say(50, ANNA, START, "Solved 🙂", kind="edited_message",
              edit_date=int((START + 2 * HOUR).timestamp()))  # fmt: skip
    there.tell("message", START, message_id=52, new_chat_members=[BELA], **{"from": BELA})
    there.say(53, person(7, "helper", is_bot=True), START + 3 * HOUR, "Status: fine")
    there.say(54, person(1087968824, "GroupAnonymousBot", is_bot=True), START + 4 * HOUR,
              "As a group", sender_chat=GROUP)  # fmt: skip
    there.say(
        8, None, START + 5 * HOUR, "News", chat=CHANNEL, sender_chat=CHANNEL, kind="channel_post"
    )
    there.say(55, person(777000, "Telegram"), START + 5 * HOUR, "News", sender_chat=CHANNEL,
              is_automatic_forward=True)  # fmt: skip
    there.say(56, BELA, START + 6 * HOUR, "Good news", message_thread_id=55,
              reply_to_message={"message_id": 55})  # fmt: skip
    there.say(57, BELA, START + 7 * HOUR, "In a topic", message_thread_id=9, is_topic_message=True,
              reply_to_message={"message_id": 9, "forum_topic_created": {}})  # fmt: skip
    there.tell("chat_member", START + 8 * HOUR, old_chat_member={"status": "left", "user": ANNA},
               new_chat_member={"status": "member", "user": ANNA})  # fmt: skip
    there.say(3, ANNA, START + 9 * HOUR, "hi bot", chat={"id": 11, "type": "private"})
    return there
