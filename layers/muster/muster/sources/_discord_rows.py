"""One item of Discord in; the lake's rows out, and its text as people read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from muster.records import Audience, Deletion, Item, Member, Message, Role, Row, Thread
from muster.settings import Source
from muster.sources._downward import gone_rows
from muster.sources._newest import instant
from muster.sources._text import plain_markdown

SPOKEN = (0, 19, 20, 23)  # words, a reply, a command's answer, a menu command's
REPLY = 19
FORUMS = (15, 16)
MODERATING = (
    0x8 | 0x20 | 0x2000 | 0x2 | 0x4
)  # administrator, manages server or messages, kicks, bans
_EPOCH_MS = 1_420_070_400_000
_QUOTED_TO_THE_END = re.compile(r"^>>> .*\Z", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"<(@!?|@&|#|a?:\w{1,40}:|t:|/[\w -]{1,100}:)(-?\d{1,20})(?::[tTdDfFR])?>")


def rows_of(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """The rows of one item; stumbles over a shape it does not know."""
    return _MAPPINGS[item.stream](item, options)


def time_of(snowflake: str) -> datetime:
    """When an id was given."""
    return datetime.fromtimestamp(((int(snowflake) >> 22) + _EPOCH_MS) / 1000, UTC)


def snowflake(at: datetime) -> str:
    """The lowest id of an instant."""
    return str((max(int(at.timestamp() * 1000) - _EPOCH_MS, 0)) << 22)


def thread_of(channel: Mapping[str, Any], parent: Mapping[str, Any]) -> str | None:
    """The conversation that a thread is; ``None`` for a channel, which is none.

    A thread that was started from a message has that message's id, in the channel above; a
    forum's post is the first message of its own thread.
    """
    if "thread_metadata" not in channel:
        return None
    above = channel["id"] if parent.get("type") in FORUMS else channel["parent_id"]
    return f"{above}:{channel['id']}"


def _message(item: Item, options: Source) -> Iterator[Row | Deletion]:
    told, context = item.body, item.context or {}
    if told["type"] not in SPOKEN:
        return
    channel, parent = context["channel"], context.get("parent") or {}
    message_id = f"{_id(told['channel_id'])}:{_id(told['id'])}"
    thread, above = thread_of(channel, parent), _answered(told)
    role = _role(told, context)
    yield Message(
        message_id=message_id,
        thread_id=thread or above or message_id,
        parent_id=above or (thread if thread != message_id else None),
        author_id=author(told),
        author_role=role,
        created_at=instant(told["timestamp"]),
        edited_at=instant(told["edited_timestamp"]) if told.get("edited_timestamp") else None,
        kind="reply" if above or (thread and thread != message_id) else "post",
        direction="outbound" if role == "staff" else "inbound",
        channel=parent.get("name") or channel.get("name"),
        tags=tuple(context.get("tags") or ()) if thread == message_id else (),
        url=f"https://discord.com/channels/{options.account}/{told['channel_id']}/{told['id']}",
        lang=options.lang,
        text=text_of(told, context.get("names") or {}),
        likes=sum(int(one["count"]) for one in told.get("reactions") or ()),
    )
    if author(told) is not None:
        yield _writer(told, role)


def _answered(told: Mapping[str, Any]) -> str | None:
    """The message that a reply names."""
    reference = told.get("message_reference") or {}
    if told["type"] != REPLY or not reference.get("message_id"):
        return None
    return f"{reference.get('channel_id') or told['channel_id']}:{reference['message_id']}"


def author(told: Mapping[str, Any]) -> str | None:
    """Who wrote it."""
    found = (told.get("author") or {}).get("id")
    return str(found) if found else None


def _role(told: Mapping[str, Any], context: Mapping[str, Any]) -> Role:
    if (told.get("author") or {}).get("bot") or told.get("webhook_id"):
        return "bot"
    return "staff" if context.get("is_staff") else "member"


def _writer(told: Mapping[str, Any], role: Role) -> Member:
    user = told["author"]
    return Member(
        member_id=_id(user["id"]),
        handle=user.get("username"),
        display_name=user.get("global_name") or None,
        role=role,
        is_bot=role == "bot",
    )


def _id(value: Any) -> str:
    if not isinstance(value, str) or not value.isdecimal():
        raise TypeError(f"no id: {str(value)[:80]!r}")
    return value


# ---- text -------------------------------------------------------------------------------------


def text_of(told: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What a message says: its content, else what was forwarded, embedded, asked or attached."""
    if told.get("content"):
        known = {user["id"]: user["username"] for user in told.get("mentions") or ()}
        return plain(told["content"], {**names, **known})
    parts = [one["message"]["content"] for one in told.get("message_snapshots") or ()]
    for embed in told.get("embeds") or ():
        parts += [embed.get("title") or "", embed.get("description") or ""]
    question = ((told.get("poll") or {}).get("question") or {}).get("text")
    files = [one.get("description") or one["filename"] for one in told.get("attachments") or ()]
    return plain("\n".join([*parts, question or "", *files]), names)


def plain(content: str, names: Mapping[str, str]) -> str:
    """Plain text of Discord's Markdown: quotes left out, marks taken off, names for ids.

    >>> plain('> hi\\n**Yes** <@7>, in <#8> <:smile:9>', {"7": "anna", "8": "help"})
    'Yes @anna, in #help :smile:'
    """
    content = _QUOTED_TO_THE_END.sub("", content)
    content = _NAMED.sub(lambda found: _named(found[1], found[2], names), content)
    return plain_markdown(content.replace("||", ""))


def _named(kind: str, what: str, names: Mapping[str, str]) -> str:
    if kind in ("@", "@!", "@&", "#"):
        return f"{kind[0]}{names.get(what, what)}"
    if kind == "t:":
        return f"{datetime.fromtimestamp(min(abs(int(what)), 253_402_300_799), UTC):%Y-%m-%d %H:%M}"
    return kind.removeprefix("a") if kind.endswith(":") and kind[0] != "/" else kind.rstrip(":")


# ---- people, threads, audience ------------------------------------------------------------------


def _guild(item: Item, options: Source) -> Iterator[Audience]:
    yield Audience(
        account=_id(item.body["id"]),
        metric="members",
        measured_on=item.seen_at.astimezone(UTC).date(),
        value=int(item.body["approximate_member_count"]),
    )


def _thread(item: Item, options: Source) -> Iterator[Thread]:
    """A thread; one that is locked takes no more words since it was archived."""
    told, context = item.body, item.context or {}
    parent, more = context.get("parent") or {}, told["thread_metadata"]
    thread = thread_of(told, parent)
    assert thread is not None
    is_closed = more.get("locked") and more.get("archive_timestamp")
    yield Thread(
        thread_id=thread,
        title=plain_markdown(told["name"]),
        url=f"https://discord.com/channels/{options.account}/{_id(told['id'])}",
        channel=parent.get("name"),
        tags=tuple(context.get("tags") or ()),
        created_at=time_of(told["id"]),
        closed_at=instant(more["archive_timestamp"]) if is_closed else None,
    )


def _member(item: Item, options: Any) -> Iterator[Member]:
    told, context = item.body, item.context or {}
    user, roles = told["user"], context["roles"]
    names = tuple(roles[one]["name"] for one in told["roles"] if one in roles)
    is_bot = bool(user.get("bot"))
    groups = context.get("groups")
    yield Member(
        member_id=_id(user["id"]),
        handle=user.get("username"),
        display_name=told.get("nick") or user.get("global_name") or None,
        role="bot" if is_bot else "staff" if is_staff(told, roles, context, options) else "member",
        is_bot=is_bot,
        joined_at=instant(told["joined_at"]) if told.get("joined_at") else None,
        groups=None if groups is None else tuple(one for one in names if one in groups),
        platform_roles=names,
    )


def is_staff(
    member: Mapping[str, Any], roles: Mapping[str, Any], guild: Mapping[str, Any], options: Any
) -> bool:
    """Whether somebody has one of the roles that the settings name, or else one that moderates."""
    theirs = [roles[one] for one in member.get("roles") or () if one in roles]
    if options.staff_roles:
        return any({one["name"], one["id"]} & set(options.staff_roles) for one in theirs)
    is_owner = (member.get("user") or {}).get("id") == guild.get("owner_id")
    return is_owner or any(int(one["permissions"]) & MODERATING for one in theirs)


_MAPPINGS: Mapping[str, Callable[[Item, Source], Iterator[Row | Deletion]]] = {
    "message": _message, "guild": _guild, "thread": _thread, "member": _member, "gone": gone_rows,
}  # fmt: skip
