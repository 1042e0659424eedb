"""One update of a Telegram bot in; the lake's rows out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from muster.records import Audience, Item, Kind, Member, Message, Role, Row
from muster.settings import Source
from muster.sources._text import tidy

MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post")
MEMBERSHIPS = ("chat_member", "my_chat_member")
SERVICE = ("new_chat_members", "left_chat_member", "new_chat_title", "pinned_message",
           "migrate_to_chat_id", "migrate_from_chat_id", "group_chat_created",
           "supergroup_chat_created", "channel_chat_created", "new_chat_photo",
           "delete_chat_photo", "forum_topic_created", "forum_topic_edited",
           "forum_topic_closed", "forum_topic_reopened", "general_forum_topic_hidden",
           "general_forum_topic_unhidden", "message_auto_delete_timer_changed", "boost_added",
           "video_chat_scheduled", "video_chat_started", "video_chat_ended",
           "video_chat_participants_invited", "chat_background_set", "users_shared",
           "chat_shared", "write_access_allowed", "proximity_alert_triggered")  # fmt: skip
_AWAY = ("left", "kicked")
_QUOTES = ("blockquote", "expandable_blockquote")


def rows_of(item: Item, options: Source) -> Iterator[Row]:
    """The rows of one item; stumbles over a shape it does not know."""
    return _MAPPINGS[item.stream](item, options)


def _update(item: Item, options: Source) -> Iterator[Row]:
    update = item.body
    if not isinstance(update["update_id"], int):
        raise TypeError(f"no update: {str(update['update_id'])[:80]!r}")
    for told in (update[name] for name in MESSAGES if update.get(name)):
        yield from _said(told, item, options)
    for told in (update[name] for name in MEMBERSHIPS if update.get(name)):
        yield from _moved(told)


def _said(told: Mapping[str, Any], item: Item, options: Source) -> Iterator[Row]:
    written = _at(told["date"])
    for user in told.get("new_chat_members") or ():
        yield _member(user, "bot" if user.get("is_bot") else None, written)
    if any(name in told for name in SERVICE):
        return
    chat, parent = told["chat"], _answered(told)
    role = _role(told, item.context or {})
    message_id, thread = _id(chat, told["message_id"]), _thread(told)
    yield Message(
        message_id=message_id,
        thread_id=thread or parent or message_id,
        parent_id=parent,
        author_id=author(told),
        author_role=role,
        created_at=written,
        edited_at=_at(told["edit_date"]) if told.get("edit_date") else None,
        kind=_kind(told, parent),
        direction="outbound" if role == "staff" else "inbound",
        channel=_channel(told),
        url=_url(told),
        lang=options.lang,
        text=text_of(told),
    )
    if told.get("from") and not told.get("sender_chat"):
        yield _member(told["from"], role, None)


def _id(chat: Mapping[str, Any], number: Any) -> str:
    """A message's id: Telegram numbers messages by chat."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"no id: {str(number)[:80]!r}")
    return f"{_string(chat['id'])}:{number}"


def _string(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"no id: {str(value)[:80]!r}")
    return str(value)


def _at(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(_string(seconds)), UTC)


def _answered(told: Mapping[str, Any]) -> str | None:
    """The message it replies to; in a topic every line replies to the topic's opening."""
    above = told.get("reply_to_message")
    if not above or "forum_topic_created" in above:
        return None
    return _id(above.get("chat") or told["chat"], above["message_id"])


def _thread(told: Mapping[str, Any]) -> str | None:
    """The post that is commented on, or the talk with one person; a topic is no conversation."""
    if told["chat"]["type"] == "private":
        return _string(told["chat"]["id"])
    root = None if told.get("is_topic_message") else told.get("message_thread_id")
    return _id(told["chat"], root) if root else None


def _channel(told: Mapping[str, Any]) -> str | None:
    """The chat, or one topic of it, by its number: its name is not told with every line."""
    title = told["chat"].get("title")
    topic = told.get("message_thread_id") if told.get("is_topic_message") else None
    return f"{title}/{topic}" if title and topic else title


def _kind(told: Mapping[str, Any], parent: str | None) -> Kind:
    if told["chat"]["type"] == "private":
        return "direct"
    return "reply" if parent or _thread(told) else "post"


def _url(told: Mapping[str, Any]) -> str | None:
    """Where to read it: by name in public, by number for members."""
    chat = told["chat"]
    if chat.get("username") and chat["type"] != "private":
        return f"https://t.me/{chat['username']}/{told['message_id']}"
    number = str(chat["id"])
    private = number.removeprefix("-100")
    return f"https://t.me/c/{private}/{told['message_id']}" if private != number else None


def author(told: Mapping[str, Any]) -> str | None:
    """Who wrote it: a person, or the chat or channel in whose name it was written."""
    sender = told.get("sender_chat") or told.get("from")
    if sender:
        return _string(sender["id"])
    return _string(told["chat"]["id"]) if told["chat"]["type"] == "channel" else None


def _role(told: Mapping[str, Any], context: Mapping[str, Any]) -> Role:
    """Admins are staff, also nameless ones; so is whoever writes in a channel's name."""
    sender, chat = told.get("sender_chat"), told["chat"]
    is_ours = sender and (sender["id"] == chat["id"] or told.get("is_automatic_forward"))
    if is_ours or chat["type"] == "channel" or context.get("is_staff"):
        return "staff"
    return "bot" if not sender and (told.get("from") or {}).get("is_bot") else "member"


def text_of(told: Mapping[str, Any]) -> str:
    """What a message says: its text or caption without quotes, a poll's question, an emoji."""
    key = "text" if told.get("text") is not None else "caption"
    if told.get(key) is not None:
        entities = told.get("entities" if key == "text" else "caption_entities") or ()
        return tidy(_unquoted(told[key], entities))
    question = (told.get("poll") or {}).get("question")
    return tidy(question or (told.get("sticker") or {}).get("emoji") or "")


def _unquoted(text: str, entities: Any) -> str:
    """The text without its quotes; Telegram counts in UTF-16 units."""
    raw = text.encode("utf-16-le", "surrogatepass")
    quotes = [one for one in entities if one["type"] in _QUOTES]
    for one in sorted(quotes, key=lambda one: -int(one["offset"])):
        start, end = int(one["offset"]) * 2, (int(one["offset"]) + int(one["length"])) * 2
        raw = raw[:start] + raw[end:]
    return raw.decode("utf-16-le", "replace")


def _moved(told: Mapping[str, Any]) -> Iterator[Member]:
    """Somebody joined, left, or became an admin."""
    before, after = told["old_chat_member"], told["new_chat_member"]
    is_new = before["status"] in _AWAY and after["status"] not in _AWAY
    is_staff = after["status"] in ("administrator", "creator")
    role: Role = "bot" if after["user"]["is_bot"] else "staff" if is_staff else "member"
    yield _member(after["user"], role, _at(told["date"]) if is_new else None)


def _member(user: Mapping[str, Any], role: Role | None, joined_at: datetime | None) -> Member:
    names = (user.get("first_name"), user.get("last_name"))
    return Member(
        member_id=_string(user["id"]),
        handle=user.get("username"),
        display_name=" ".join(name for name in names if name) or None,
        role=role or "member",
        is_bot=bool(user.get("is_bot")),
        joined_at=joined_at,
        lang=user.get("language_code"),
    )


def _size(item: Item, options: Source) -> Iterator[Audience]:
    """How many are in a chat: subscribers of a channel, members of a group."""
    chat = (item.context or {})["chat"]
    yield Audience(
        account=_string(chat["id"]),
        metric="subscribers" if chat["type"] == "channel" else "members",
        measured_on=item.seen_at.astimezone(UTC).date(),
        value=int(item.body["result"]),
    )


_MAPPINGS: Mapping[str, Callable[[Item, Source], Iterator[Row]]] = {
    "update": _update, "size": _size,
}  # fmt: skip
