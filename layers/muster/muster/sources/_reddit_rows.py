"""One post, comment, moderator or subreddit as Reddit sent it in; the lake's rows out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from muster.errors import Refused
from muster.records import Audience, Deletion, Item, Member, Message, Role, Row, Thread
from muster.settings import Source
from muster.sources._text import plain_markdown, tidy

SITE = "https://www.reddit.com"
_GONE = ("[deleted]", "[removed]")
# Names that say so themselves: HelpBot, help_bot, help-bot; no Talbot, no abbot.
_SPOILER = re.compile(r">!(.{1,2000}?)!<")  # else a line that begins so counts as a quote
_BOT = re.compile(r"AutoModerator|.*(?:[_-]bot|[a-z0-9]Bot|BOT)")


def subreddit_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our subreddit: who subscribes to it that day, where Reddit tells."""
    told = item.body["data"]
    if told["subscribers"] is None:
        return
    yield Audience(
        account=told["display_name"],
        metric="subscribers",
        measured_on=item.seen_at.astimezone(UTC).date(),
        value=int(told["subscribers"]),
    )


def moderator_rows(item: Item, options: Source) -> Iterator[Row]:
    """A moderator of our subreddit."""
    name = item.body["name"]
    yield _member(_string(item.body, "id"), name, _role(name, is_staff=True))


def _member(member_id: str, name: str, role: Role) -> Member:
    is_mod = role == "staff"
    return Member(
        member_id=member_id,
        handle=name,
        role=role,
        is_bot=role == "bot",
        platform_roles=("moderator",) if is_mod else None,
    )


def thing_rows(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """A post or comment: a message and its author, a post also a thread; else a deletion."""
    kind, told, context = item.body["kind"], item.body["data"], item.context or {}
    if kind not in ("t1", "t3"):
        raise Refused(f"no post and no comment: {str(kind)[:40]!r}")
    if kind == "t3":
        yield _thread(told)
    if is_gone(told):
        created = created_at(told)
        yield Deletion(
            message_id=name_of(told), created_at=created, deleted_at=max(item.seen_at, created)
        )
        return
    author, role = author_of(told), _role_of(told, context)
    yield Message(
        message_id=name_of(told),
        thread_id=_string(told, "link_id") if kind == "t1" else name_of(told),
        parent_id=_string(told, "parent_id") if kind == "t1" else None,
        author_id=author,
        author_role=role,
        created_at=created_at(told),
        edited_at=_edited_at(told),
        kind=_kind(kind, told),
        direction=_direction(role, context),
        channel=told.get("subreddit"),
        tags=_tags(told),
        url=_url(told),
        lang=options.lang,
        text=_text(kind, told),
        likes=max(int(told.get("score") or 0), 0),
        reposts=int(told.get("num_crossposts") or 0),
        replies=int(told.get("num_comments") or 0),
    )
    if author:
        yield _member(author, told["author"], role)


def created_at(told: Mapping[str, Any]) -> datetime:
    """When it was written; ``created`` is a leftover in another time zone."""
    return _at(told["created_utc"])


def _at(seconds: Any) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError("created_utc is no number")
    return datetime.fromtimestamp(seconds, UTC)


def _edited_at(told: Mapping[str, Any]) -> datetime | None:
    """When it was edited last; very old edits have no time, and count as none."""
    edited = told.get("edited")
    return None if edited is None or isinstance(edited, bool) else _at(edited)


def name_of(told: Mapping[str, Any]) -> str:
    """Its full name, as ``t1_abc`` for a comment and ``t3_abc`` for a post."""
    return _string(told, "name")


def _string(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(told[name], str):
        raise TypeError(f"{name} is no text")
    return str(told[name])


def author_of(told: Mapping[str, Any]) -> str | None:
    """Who wrote it, by id or (in old answers) by name; none once the account is gone."""
    if told.get("author") in (None, "[deleted]"):
        return None
    return str(told.get("author_fullname") or told["author"])


def is_gone(told: Mapping[str, Any]) -> bool:
    """Whether its author or a moderator took it away."""
    text = told.get("body") if "body" in told else told.get("selftext")
    return text in _GONE or bool(told.get("removed_by_category"))


def is_readable(thing: Any) -> bool:
    """Whether a thing has the shape that fetching needs; if not, its mapping says why."""
    try:
        created_at(thing["data"])
        return bool(name_of(thing["data"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False


def _role_of(told: Mapping[str, Any], context: Mapping[str, Any]) -> Role:
    is_staff = context.get("is_ours") and (
        context.get("is_mod") or told.get("distinguished") in ("moderator", "admin")
    )
    return _role(told.get("author") or "", bool(is_staff))


def _role(name: str, is_staff: bool) -> Role:
    if _BOT.fullmatch(name):
        return "bot"
    return "staff" if is_staff else "member"


def _direction(role: Role, context: Mapping[str, Any]) -> Any:
    if not context.get("is_ours"):
        return "ambient"
    return "outbound" if role == "staff" else "inbound"


def _kind(kind: str, told: Mapping[str, Any]) -> Any:
    if kind == "t3":
        return "post"
    return "comment" if told["parent_id"] == told["link_id"] else "reply"


def _tags(told: Mapping[str, Any]) -> tuple[str, ...]:
    flair = tidy(told.get("link_flair_text") or "")
    return (flair,) if flair else ()


def _url(told: Mapping[str, Any]) -> str | None:
    path = told.get("permalink")
    return f"{SITE}{path}" if path else None


def _text(kind: str, told: Mapping[str, Any]) -> str:
    """The comment; of a post its title too. What a crosspost shows is another's, and not here."""
    if kind == "t1":
        return _plain(told["body"])
    parts = (tidy(told["title"]), _plain(told.get("selftext") or ""))
    return "\n\n".join(part for part in parts if part)


def _plain(markdown: str) -> str:
    return plain_markdown(_SPOILER.sub(r"\1", markdown))


def _thread(told: Mapping[str, Any]) -> Thread:
    return Thread(
        thread_id=name_of(told),
        title=None if is_gone(told) else tidy(told.get("title") or "") or None,
        url=_url(told),
        channel=told.get("subreddit"),
        tags=_tags(told),
        created_at=created_at(told),
    )
