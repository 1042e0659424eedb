"""One item of Slack in; the lake's rows out, and its text as people read it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from muster.records import Audience, Deletion, Item, Member, Message, Role, Row
from muster.settings import Source
from muster.sources._downward import gone_rows
from muster.sources._text import tidy

SPOKEN = (None, "bot_message", "file_comment", "file_share", "me_message", "reply_broadcast",
          "thread_broadcast")  # fmt: skip
SLACKBOT = "USLACKBOT"
_NAMED = re.compile(r"<([^<>]{1,4000})>")
_QUOTED = re.compile(r"^(?:&gt;|>).*$", re.MULTILINE)
_FENCE = re.compile(r"```")
_MARKED = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)([^\n]{0,2000}?\S|\S)\1(?![\w*_~`])")


def rows_of(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """The rows of one item; stumbles over a shape it does not know."""
    return _MAPPINGS[item.stream](item, options)


def _message(item: Item, options: Source) -> Iterator[Row | Deletion]:
    told, context = item.body, item.context or {}
    channel, kind = context["channel"], told.get("subtype")
    message_id, written = id_of(channel, told["ts"]), at(told["ts"])
    if kind == "tombstone":  # a root that was deleted, and has replies
        yield Deletion(message_id=message_id, created_at=written, deleted_at=item.seen_at)
    if kind == "channel_join" and channel.get("is_general") and told.get("user"):
        yield Member(member_id=told["user"], joined_at=written)  # everybody is in that channel
    if kind not in SPOKEN:
        return
    root = told.get("thread_ts") or told["ts"]
    role = _role(told, context)
    yield Message(
        message_id=message_id,
        thread_id=id_of(channel, root),
        parent_id=id_of(channel, root) if root != told["ts"] else None,
        author_id=author(told),
        author_role=role,
        created_at=written,
        edited_at=at(told["edited"]["ts"]) if told.get("edited") else None,
        kind="reply" if root != told["ts"] else "post",
        direction="outbound" if role == "staff" else "inbound",
        channel=channel.get("name"),
        url=_url(context, channel, told["ts"], root),
        lang=options.lang,
        text=text_of(told, context.get("names") or {}),
        is_solution=root != told["ts"] and _is_marked(told, options),
        likes=sum(int(one.get("count") or 0) for one in told.get("reactions") or ()),
        replies=int(told.get("reply_count") or 0),
    )
    if told.get("bot_id") and not told.get("user"):
        yield Member(member_id=told["bot_id"], handle=told.get("username"), role="bot", is_bot=True)


def id_of(channel: Mapping[str, Any], ts: Any) -> str:
    """A message's id: its time is unique within its channel."""
    if not isinstance(ts, str) or not isinstance(channel["id"], str):
        raise TypeError(f"no id: {str(ts)[:80]!r}")
    return f"{channel['id']}:{ts}"


def at(ts: str) -> datetime:
    """Slack's ``seconds.microseconds`` as UTC."""
    seconds, _, rest = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(
        microseconds=int(rest[:6].ljust(6, "0"))
    )


def author(told: Mapping[str, Any]) -> str | None:
    """Who wrote it: a user, or what an integration calls itself."""
    found = told.get("user") or told.get("bot_id")
    return str(found) if found else None


def _role(told: Mapping[str, Any], context: Mapping[str, Any]) -> Role:
    is_bot = told.get("bot_id") or told.get("subtype") == "bot_message"
    return "bot" if is_bot else context.get("role") or "member"


def _is_marked(told: Mapping[str, Any], options: Any) -> bool:
    """Whether a reply carries the reaction by which the workspace accepts an answer."""
    names = {one.get("name") for one in told.get("reactions") or ()}
    return bool(names & set(options.solution_reactions))


def _url(context: Mapping[str, Any], channel: Mapping[str, Any], ts: str, root: str) -> str | None:
    if not context.get("home"):
        return None
    thread = f"?thread_ts={root}&cid={channel['id']}" if root != ts else ""
    return f"{context['home']}archives/{channel['id']}/p{ts.replace('.', '')}{thread}"


# ---- text -------------------------------------------------------------------------------------


def text_of(told: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What a message says: its text, else its blocks, attachments or files."""
    if told.get("text"):
        return plain(str(told["text"]), names)
    parts = [*_words(told.get("blocks")), *_attached(told.get("attachments"))]
    parts += [one["title"] for one in told.get("files") or () if one.get("title")]
    return plain("\n".join(parts), names)


def _words(blocks: Any) -> list[str]:
    """The texts of blocks, in order."""
    if isinstance(blocks, Mapping):
        own = blocks.get("text")
        return (
            [own] if isinstance(own, str) else [w for one in blocks.values() for w in _words(one)]
        )
    return [w for one in blocks for w in _words(one)] if isinstance(blocks, list) else []


def _attached(attachments: Any) -> list[str]:
    found = (one.get("text") or one.get("fallback") for one in attachments or ())
    return [one for one in found if one]


def plain(text: str, names: Mapping[str, str]) -> str:
    """Plain text of Slack's mrkdwn: quotes left out, marks taken off, names for ids.

    >>> plain('&gt; hi\\n*Yes* <@U1> &amp; <https://example.org|no>', {"U1": "anna"})
    'Yes @anna & no'
    """
    text = _QUOTED.sub("", _FENCE.sub("", text))
    text = _NAMED.sub(lambda found: _named(found[1], names), text)
    for _ in range(3):  # bold within italics
        text = _MARKED.sub(r"\2", text)
    return tidy(html.unescape(text))


def _named(inside: str, names: Mapping[str, str]) -> str:
    """What stands between angle brackets: a person, a channel, a call to all, or a link."""
    what, _, label = inside.partition("|")
    if what.startswith("@"):
        return f"@{label or names.get(what[1:], what[1:])}"
    if what.startswith("#"):
        return f"#{label or names.get(what[1:], what[1:])}"
    if what.startswith("!"):
        return label or f"@{what[1:].partition('^')[0]}"
    return label or what.removeprefix("mailto:")


def mentioned(told: Any) -> set[str]:
    """Ids of the people and channels that a message names."""
    text = told.get("text") if isinstance(told, Mapping) else None
    return set(re.findall(r"<[@#](\w+)", text)) if isinstance(text, str) else set()


# ---- people and audiences ----------------------------------------------------------------------


def _user(item: Item, options: Source) -> Iterator[Member]:
    told, groups = item.body, (item.context or {}).get("groups")
    profile = told.get("profile") or {}
    role = role_of(told)
    yield Member(
        member_id=_string(told["id"]),
        handle=told.get("name"),
        display_name=profile.get("display_name") or profile.get("real_name") or None,
        role=role,
        is_bot=role == "bot",
        lang=told.get("locale"),
        groups=None if groups is None else tuple(groups),
        platform_roles=_platform_roles(told),
    )


def role_of(told: Mapping[str, Any]) -> Role:
    """Owners and admins are staff; Slackbot is a bot, though Slack does not say so."""
    if told.get("is_bot") or told.get("id") == SLACKBOT:
        return "bot"
    return "staff" if told.get("is_admin") or told.get("is_owner") else "member"


def _platform_roles(told: Mapping[str, Any]) -> tuple[str, ...]:
    flags = {"owner": "is_owner", "admin": "is_admin", "guest": "is_restricted"}
    return tuple(name for name, flag in flags.items() if told.get(flag))


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no id: {str(value)[:80]!r}")
    return value


def _workspace(item: Item, options: Source) -> Iterator[Audience]:
    """Everybody in the workspace who is a person and still there."""
    yield _audience(item, "all", (item.context or {})["members"], item.body["team_id"])


def _channel(item: Item, options: Source) -> Iterator[Audience]:
    """How many are in a channel; not told of archived ones."""
    told = item.body
    if told.get("num_members") is not None:
        segment = f"channel={told['name']}"
        yield _audience(item, segment, told["num_members"], (item.context or {})["team"])


def _audience(item: Item, segment: str, value: Any, account: str) -> Audience:
    day = item.seen_at.astimezone(UTC).date()
    return Audience(
        account=account, metric="members", segment=segment, measured_on=day, value=int(value)
    )


_MAPPINGS: Mapping[str, Callable[[Item, Source], Iterator[Row | Deletion]]] = {
    "message": _message, "user": _user, "workspace": _workspace, "channel": _channel,
    "gone": gone_rows,
}  # fmt: skip
