"""The records of the simulated Bluesky: messages and people go in, views of posts come out."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

from demo.community import World
from demo.exchange import stamp
from demo.people import BLUESKY, Person
from demo.threads import Message

COLLECTION = "app.bsky.feed.post"
_TID = "234567abcdefghijklmnopqrstuvwxyz"
_EMOJI = {":slight_smile:": "🙂", ":smile:": "😄"}
_TAG = re.compile(r"(?<!\w)#(\w+)")
_LAG = timedelta(milliseconds=640)  # from writing to being indexed


def did(person: Person) -> str:
    """The account's identifier that survives every change of its handle."""
    digest = hashlib.sha256(f"{person.source}/{person.serial}".encode()).digest()
    return "did:plc:" + base64.b32encode(digest)[:24].decode().lower()


def handle(person: Person) -> str:
    """The account's name."""
    name = re.sub(r"[^a-z0-9-]", "-", person.handle.lower()).strip("-")
    return f"{name}.nordufer.example"


def tid(at: datetime, n: int) -> str:
    """A record key: it sorts by time."""
    number = int(at.timestamp() * 1_000_000) << 10 | (n & 1023)
    return "".join(_TID[number >> shift & 31] for shift in range(60, -1, -5))


def cid(text: str) -> str:
    """The content's fingerprint: another content has another."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return "bafyrei" + base64.b32encode(digest).decode().lower().rstrip("=")


def uri(message: Message, key: str) -> str:
    """The address of a post."""
    return f"at://{did(message.author)}/{COLLECTION}/{key}"


def uris(world: World) -> dict[Message, str]:
    """The address of every post."""
    messages = world.messages[BLUESKY]
    return {message: uri(message, tid(message.at, n)) for n, message in enumerate(messages)}


class Records:
    """Every post with its address, as it reads at an instant."""

    def __init__(self, world: World) -> None:
        self.us = world.crowds[BLUESKY].desk[0]
        self.messages = world.messages[BLUESKY]
        self.by_uri: dict[str, Message] = {}
        self.uris: dict[Message, str] = {}
        self.keys: dict[Message, str] = {}
        for n, message in enumerate(self.messages):
            key = tid(message.at, n)
            self.keys[message], self.uris[message] = key, uri(message, key)
            self.by_uri[self.uris[message]] = message
            if message.parent:
                message.parent.replies.append(message)
            if message.quotes:
                message.quotes.edit_ids.append(n)

    def indexed_at(self, message: Message) -> datetime:
        """When the network saw it."""
        return message.at + _LAG

    def text(self, message: Message, now: datetime) -> str:
        """The text as it is posted."""
        text = message.text_at(now).replace("@us ", f"@{handle(self.us)} ")
        for code, sign in _EMOJI.items():
            text = text.replace(code, sign)
        return text

    def reference(self, message: Message, now: datetime) -> dict[str, str]:
        """Address and fingerprint."""
        fingerprint = cid(f"{self.uris[message]} {self.text(message, now)}")
        return {"cid": fingerprint, "uri": self.uris[message]}

    def record(self, message: Message, now: datetime) -> dict[str, Any]:
        """What the author's own repository holds."""
        text = self.text(message, now)
        found: dict[str, Any] = {
            "text": text,
            "$type": COLLECTION,
            "langs": [message.thread.lang],
            "createdAt": stamp(message.at),
        }
        if message.parent:
            root = message.thread.messages[0]
            found["reply"] = {
                "root": self.reference(root, root.at),
                "parent": self.reference(message.parent, message.parent.at),
            }
        if message.quotes:
            quoted = self.reference(message.quotes, message.quotes.at)
            found["embed"] = {"$type": "app.bsky.embed.record", "record": quoted}
        if facets := self._facets(text):
            found["facets"] = facets
        return found

    def _facets(self, text: str) -> list[dict[str, Any]]:
        """Mentions of us and tags, by byte offsets."""
        found = []
        name = f"@{handle(self.us)}"
        if name in text:
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": did(self.us)}
            found.append(_facet(text, text.index(name), text.index(name) + len(name), feature))
        for match in _TAG.finditer(text):
            feature = {"$type": "app.bsky.richtext.facet#tag", "tag": match[1]}
            found.append(_facet(text, match.start(), match.end(), feature))
        return found

    def author(self, person: Person) -> dict[str, Any]:
        """An account as it stands beside a post."""
        labels = []
        if person.role == "bot":
            labels = [
                {
                    "src": did(person),
                    "uri": f"at://{did(person)}/app.bsky.actor.profile/self",
                    "val": "bot",
                    "cts": stamp(person.joined_at),
                }
            ]
        return {
            "did": did(person),
            "handle": handle(person),
            "displayName": person.name,
            "associated": {"chat": {"allowIncoming": "following"}},
            "labels": labels,
            "createdAt": stamp(person.joined_at),
        }

    def view(self, message: Message, now: datetime) -> dict[str, Any]:
        """A post as the network shows it."""
        age = min((now - message.at) / timedelta(days=3), 1.0)
        likes = int(message.likes * max(age, 0.1) ** 0.5)
        found = {
            **self.reference(message, now),
            "author": self.author(message.author),
            "record": self.record(message, now),
            "bookmarkCount": likes // 9,
            "replyCount": sum(reply.exists(now) for reply in message.replies),
            "repostCount": likes // 6,
            "likeCount": likes,
            "quoteCount": len(message.edit_ids),
            "indexedAt": stamp(self.indexed_at(message)),
            "labels": [],
        }
        if message.quotes:
            found["embed"] = {
                "$type": "app.bsky.embed.record#view",
                "record": self._quoted(message.quotes, now),
            }
        return found

    def _quoted(self, quoted: Message, now: datetime) -> dict[str, Any]:
        if not quoted.exists(now):
            return {
                "$type": "app.bsky.embed.record#viewNotFound",
                "uri": self.uris[quoted],
                "notFound": True,
            }
        return {
            "$type": "app.bsky.embed.record#viewRecord",
            **self.reference(quoted, now),
            "author": self.author(quoted.author),
            "value": self.record(quoted, now),
            "indexedAt": stamp(self.indexed_at(quoted)),
        }

    def above(self, message: Message, now: datetime) -> dict[str, Any]:
        """A post that is answered, beside an entry of a feed; deleted ones leave their address."""
        if message.exists(now):
            return {"$type": "app.bsky.feed.defs#postView", **self.view(message, now)}
        return {
            "$type": "app.bsky.feed.defs#notFoundPost",
            "uri": self.uris[message],
            "notFound": True,
        }


def _facet(text: str, start: int, end: int, feature: dict[str, str]) -> dict[str, Any]:
    def place(index: int) -> int:
        return len(text[:index].encode("utf-8", "surrogatepass"))

    return {"index": {"byteStart": place(start), "byteEnd": place(end)}, "features": [feature]}
