"""The posts of the simulated X: the community's messages go in, posts with ids come out."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from demo.community import World
from demo.exchange import stamp
from demo.people import Person, X
from demo.threads import Message
from demo.x_query import words_of

_EPOCH_MS = 1_288_834_974_657
_MENTION = re.compile(r"(?<!\w)@(\w{1,15})")
_TAG = re.compile(r"(?<!\w)#(\w+)")
_LINK = re.compile(r"https?://\S+")
_EMOJI = {":slight_smile:": "🙂", ":smile:": "😄"}
_LONG = 280


def snowflake(at: datetime, extra: int) -> int:
    """The id of something that happens at an instant."""
    return (int(at.timestamp() * 1000) - _EPOCH_MS << 22) | (extra & 0x3FFFFF)


@dataclass(frozen=True, slots=True, eq=False)
class Post:
    """One version of a post; an edit is a post of its own with a new id."""

    id: int
    message: Message
    at: datetime
    text: str
    history: tuple[int, ...]
    facts: dict[str, Any] = field(repr=False)


def user_id(person: Person) -> str:
    """The id of an account."""
    return str(1_500_000_000 + person.serial * 7919)


def posts(world: World) -> list[Post]:
    """Every version of every post, by id; message ids are set on the way."""
    found: list[Post] = []
    messages = world.messages[X]
    for n, message in enumerate(messages):
        message.id = snowflake(message.at, n)
    for n, message in enumerate(messages):
        texts = [(message.at, message.text), *message.edits]
        ids = [message.id, *(snowflake(at, n + 7) for at, _ in message.edits)]
        message.edit_ids = ids
        for version, (at, text) in enumerate(texts):
            history = tuple(ids[: version + 1])
            full = _full_text(world, message, text)
            facts = _facts(message, full)
            found.append(Post(ids[version], message, at, full, history, facts))
    return sorted(found, key=lambda post: post.id)


def _full_text(world: World, message: Message, text: str) -> str:
    """The text as it is posted: those who are answered are named first, as X does."""
    us = world.crowds[X].desk[0].handle
    text = text.replace("@us ", f"@{us} ")
    for code, sign in _EMOJI.items():
        text = text.replace(code, sign)
    names = [name for name in _answered(message, us) if f"@{name}" not in text]
    if message.quotes:
        text += f" https://t.co/q{message.quotes.id % 10**9:09d}"
    return " ".join([*(f"@{name}" for name in names), text])


def _answered(message: Message, us: str) -> list[str]:
    parent = message.parent
    if parent is None:
        return []
    names = [parent.author.handle]
    if "@us " in parent.text:
        names.append(us)
    return [name for name in dict.fromkeys(names) if name != message.author.handle]


def _facts(message: Message, text: str) -> dict[str, Any]:
    """What a search may ask."""
    root = message.thread.messages[0]
    parent = message.parent
    kinds = {"reply"} if parent else {"quote"} if message.quotes else set()
    return {
        "words": f" {' '.join(words_of(text))} ",
        "handle": message.author.handle.lower(),
        "to": parent.author.handle.lower() if parent else "",
        "mentions": {name.lower() for name in _MENTION.findall(text)},
        "hashtags": {tag.lower() for tag in _TAG.findall(text)},
        "conversation_id": str(root.id),
        "lang": message.thread.lang,
        "is": kinds,
    }


def post_json(post: Post, people: dict[str, Person], now: datetime) -> dict[str, Any]:
    """Every public field of a post."""
    message = post.message
    text = html.escape(post.text, quote=False)
    found: dict[str, Any] = {
        "id": str(post.id),
        "text": text if len(post.text) <= _LONG else text[: _LONG - 1].rstrip() + "…",
        "edit_history_tweet_ids": [str(one) for one in post.history],
        "author_id": user_id(message.author),
        "created_at": stamp(post.at),
        "conversation_id": str(message.thread.messages[0].id),
        "lang": message.thread.lang if len(post.text.split()) > 2 else "und",
        "possibly_sensitive": False,
        "reply_settings": "everyone",
        "public_metrics": _metrics(message, now),
        "edit_controls": {
            "edits_remaining": 6 - len(post.history),
            "is_edit_eligible": message.parent is None,
            "editable_until": stamp(message.at + timedelta(minutes=30)),
        },
    }
    if entities := _entities(text, people):
        found["entities"] = entities
    if len(post.text) > _LONG:
        found["note_tweet"] = {"text": text, **({"entities": entities} if entities else {})}
    if message.parent:
        found["in_reply_to_user_id"] = user_id(message.parent.author)
        found["referenced_tweets"] = [{"type": "replied_to", "id": str(message.parent.id)}]
    elif message.quotes:
        found["referenced_tweets"] = [{"type": "quoted", "id": str(message.quotes.id)}]
    return found


def _metrics(message: Message, now: datetime) -> dict[str, int]:
    answers = sum(
        other.parent is message and other.exists(now) for other in message.thread.messages
    )
    age = min((now - message.at) / timedelta(days=3), 1.0)
    likes = int(message.likes * max(age, 0.1) ** 0.5)
    return {
        "retweet_count": likes // 5,
        "reply_count": answers,
        "like_count": likes,
        "quote_count": likes // 20,
        "bookmark_count": likes // 9,
        "impression_count": int(message.views * 9 * max(age, 0.1) ** 0.5),
    }


def _entities(text: str, people: dict[str, Person]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    mentions = [
        {"start": match.start(), "end": match.end(), "username": match[1],
         "id": user_id(people[match[1].lower()])}
        for match in _MENTION.finditer(text) if match[1].lower() in people
    ]  # fmt: skip
    tags = [
        {"start": match.start(), "end": match.end(), "tag": match[1]}
        for match in _TAG.finditer(text)
    ]
    links = [
        {"start": match.start(), "end": match.end(), "url": match[0],
         "expanded_url": match[0].replace("https://t.co/q", "https://x.com/i/status/"),
         "display_url": match[0][8:30]}
        for match in _LINK.finditer(text)
    ]  # fmt: skip
    for name, values in (("mentions", mentions), ("hashtags", tags), ("urls", links)):
        if values:
            found[name] = values
    return found
