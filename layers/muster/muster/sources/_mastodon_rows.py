"""One status, account or server as a Mastodon-compatible server sent it in; the lake's rows out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from muster.records import Audience, Item, Kind, Member, Message, Row
from muster.settings import Source
from muster.sources._newest import instant
from muster.sources._text import plain_html, tidy

_OPEN = ("public", "unlisted")  # others are letters, or for followers: never stored
_QUOTED = re.compile(r'<(p|span) class="quote-inline">.*?</a>\s*</\1>', re.DOTALL)
_HREF = re.compile(r'href="(https?://[^"\s]{1,2000})"')
_NO_BOTS = re.compile(r"#(?:<span>)?nobots?\b", re.IGNORECASE)


def account_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our account: a member, and its followers that day."""
    account = item.body
    yield _member(account, account["id"])
    yield _audience(item, account["id"], "followers", account["followers_count"])


def server_rows(item: Item, options: Source) -> Iterator[Row]:
    """A server that is our community: its members that day."""
    host = urlsplit(options.base_url or "").netloc
    yield _audience(item, host, "members", item.body["usage"]["users"]["total"])


def _audience(item: Item, account: str, metric: str, value: Any) -> Audience:
    day = item.seen_at.astimezone(UTC).date()
    return Audience(account=account, metric=metric, measured_on=day, value=int(value))


def status_rows(item: Item, options: Source) -> Iterator[Row]:
    """A status as a message and its author as a member; none for a boost or a letter."""
    status, context = post_of(item.body), item.context or {}
    if status.get("reblog") or status.get("visibility", "public") not in _OPEN:
        return
    us, account = context["us"], status.get("account") or {}
    direction = _direction(status, us, bool(context.get("is_under_ours")))
    is_shy = direction == "ambient" and _is_shy(account)
    yield Message(
        message_id=id_of(status),
        thread_id=context.get("thread") or id_of(status),
        parent_id=status.get("in_reply_to_id"),
        author_id=account.get("id"),
        author_role=_role(account, us["id"]),
        created_at=created_at(status),
        edited_at=instant(status["edited_at"]) if status.get("edited_at") else None,
        kind=_kind(status),
        direction=direction,
        tags=() if is_shy else tuple(dict.fromkeys(tag["name"] for tag in _list(status, "tags"))),
        url=None if is_shy else status.get("url") or status.get("uri"),
        lang=status.get("language") or options.lang,
        text=None if is_shy else _text(status),
        likes=int(status.get("favourites_count") or 0),
        reposts=int(status.get("reblogs_count") or 0) + int(status.get("quotes_count") or 0),
        replies=int(status.get("replies_count") or 0),
    )
    if account:
        yield _member(account, us["id"], is_shy)


def post_of(told: Any) -> Any:
    """The status a notification tells of; a status is its own."""
    return told.get("status") if isinstance(told, Mapping) and "type" in told else told


def id_of(told: Mapping[str, Any]) -> str:
    """The server's id of a status or account."""
    if not isinstance(told["id"], str):
        raise TypeError("id is no text")
    return str(told["id"])


def created_at(status: Mapping[str, Any]) -> datetime:
    """When a status was written."""
    return instant(status["created_at"])


def is_readable(status: Any) -> bool:
    """Whether a status has the shape that fetching needs; if not, its mapping says why."""
    try:
        created_at(status)
        return bool(id_of(status)) and isinstance(status.get("in_reply_to_id"), str | None)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def writer(status: Mapping[str, Any]) -> str | None:
    """Whose status it is."""
    account = status.get("account")
    return account.get("id") if isinstance(account, Mapping) else None


def _direction(
    status: Mapping[str, Any], us: Mapping[str, Any], is_under_ours: bool
) -> Literal["inbound", "ambient", "outbound"]:
    if writer(status) == us["id"]:
        return "outbound"
    called = any(one["id"] == us["id"] for one in _list(status, "mentions"))
    is_answer = status.get("in_reply_to_account_id") == us["id"]
    return "inbound" if called or is_answer or is_under_ours else "ambient"


def _kind(status: Mapping[str, Any]) -> Kind:
    if status.get("in_reply_to_id"):
        return "reply"
    return "quote" if status.get("quote") else "post"


def _text(status: Mapping[str, Any]) -> str:
    """Warning and text; without any, what polls, pictures and videos are described as."""
    warning = tidy(status.get("spoiler_text") or "")
    text = "\n".join(part for part in (warning, _plain(status["content"])) if part)
    return text or "\n".join(tidy(part) for part in _attached(status) if part)


def _plain(content: str) -> str:
    """The text without the address of what it quotes, which servers add for old readers."""
    return plain_html(_QUOTED.sub("", content))


def _attached(status: Mapping[str, Any]) -> Iterator[str]:
    poll = status.get("poll") or {}
    yield from (one.get("title") or "" for one in poll.get("options") or ())
    yield from (one.get("description") or "" for one in _list(status, "media_attachments"))


def _list(status: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    return status.get(name) or ()


def _member(account: Mapping[str, Any], our_id: str, is_shy: bool = False) -> Member:
    roles = account.get("roles")
    seen, joined = account.get("last_status_at"), account.get("created_at")
    return Member(
        member_id=id_of(account),
        handle=None if is_shy else account.get("acct"),
        display_name=None if is_shy else tidy(account.get("display_name") or "") or None,
        role=_role(account, our_id),
        is_bot=bool(account.get("bot")),
        joined_at=instant(joined) if joined else None,
        last_seen_at=instant(seen) if seen else None,
        platform_roles=None if roles is None else tuple(role["name"] for role in roles),
        links=None if is_shy else _links(account),
    )


def _role(account: Mapping[str, Any], our_id: str) -> Literal["staff", "bot", "member"]:
    if account.get("id") == our_id:
        return "staff"
    return "bot" if account.get("bot") else "member"


def _links(account: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses in the table of the profile."""
    told = " ".join(str(field["value"]) for field in account.get("fields") or ())
    return tuple(dict.fromkeys(link.replace("&amp;", "&") for link in _HREF.findall(told)))


def _is_shy(account: Mapping[str, Any]) -> bool:
    """Whether the author asks not to be found, or not to be read by programs."""
    asks = account.get("noindex") or account.get("discoverable") is False
    return bool(asks or _NO_BOTS.search(account.get("note") or ""))
