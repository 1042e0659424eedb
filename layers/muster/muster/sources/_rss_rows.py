"""One entry of a feed, as feedparser read it, in; the lake's rows out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urldefrag

from muster.errors import Refused
from muster.records import Item, Member, Message, Row, Thread
from muster.settings import Source
from muster.sources._rss_feed import entry as parsed
from muster.sources._text import plain_html, tidy

_KINDS: Mapping[str, Any] = {"comments": "comment", "posts": "post", "mentions": "post"}
_TOWARDS: Mapping[str, Any] = {
    "comments": "inbound", "posts": "outbound", "mentions": "ambient",
}  # fmt: skip

_MAIL = re.compile(r"\S{1,200}@\S{1,200}")


def entry_rows(item: Item, options: Source, holds: str) -> Iterator[Row]:
    """An entry as a message and its author as a member; a post is a thread too."""
    entry, context = parsed(item.body), item.context or {}
    feed, key, at = context.get("feed") or {}, key_of(entry), published_at(entry)
    if not key:
        raise Refused("an entry without an id and an address")
    if at is None and (first := context.get("first_seen") or changed_at(entry)):
        at = first if isinstance(first, datetime) else datetime.fromisoformat(first)
    if at is None:
        raise Refused("an entry without a time that was never seen")
    author, is_comment = _author(entry), holds == "comments"
    is_ours = holds == "posts" or (author is not None and author == options.account)
    if not is_comment:
        yield _thread(entry, key, at, feed)
    yield Message(
        message_id=key,
        thread_id=_page(entry, key) if is_comment else key,
        parent_id=_answered(entry) if is_comment else None,
        author_id=author,
        author_role="staff" if is_ours else "member",
        created_at=at,
        edited_at=_edited_at(entry, at),
        kind=_KINDS[holds],
        direction="outbound" if is_ours else _TOWARDS[holds],
        channel=tidy(feed.get("title") or "") or None,
        tags=_tags(entry),
        url=_link(entry),
        lang=_lang(entry, feed, options),
        text=_text(entry, is_comment),
        replies=int(entry.get("slash_comments") or 0),
    )
    if author:
        told = entry.get("author_detail") or {}
        links = (told["href"],) if told.get("href") else None
        role: Any = "staff" if is_ours else "member"
        yield Member(member_id=author, handle=author, display_name=_name(entry), role=role,
                     links=links)  # fmt: skip


def key_of(entry: Mapping[str, Any]) -> str | None:
    """The entry's id, else its address; none if it has neither."""
    found = entry.get("id") or entry.get("link")
    return found if isinstance(found, str) and found.strip() else None


def published_at(entry: Mapping[str, Any]) -> datetime | None:
    """When it was written, if the feed tells: Atom need not."""
    return _instant(entry.get("published_parsed"))


def changed_at(entry: Mapping[str, Any]) -> datetime | None:
    """When it was last changed, as far as the feed tells."""
    return _instant(entry.get("updated_parsed"))


def _instant(parts: Any) -> datetime | None:
    try:
        return datetime(*parts[:6]).replace(tzinfo=UTC) if parts else None
    except (TypeError, ValueError):
        return None


def _edited_at(entry: Mapping[str, Any], written: datetime) -> datetime | None:
    changed = changed_at(entry)
    return changed if changed and changed > written else None


def _page(entry: Mapping[str, Any], key: str) -> str:
    """The page a comment stands on: by its address, else by what it says it answers."""
    address, place = urldefrag(_link(entry) or "")
    if address and place:
        return address
    answered = entry.get("thr_in-reply-to") or {}
    return urldefrag(answered.get("href") or "")[0] or answered.get("ref") or address or key


def _answered(entry: Mapping[str, Any]) -> str | None:
    return (entry.get("thr_in-reply-to") or {}).get("ref") or None


def _link(entry: Mapping[str, Any]) -> str | None:
    """Its address, if that is one of the web."""
    found = entry.get("link")
    return found if isinstance(found, str) and found.startswith(("http://", "https://")) else None


def _author(entry: Mapping[str, Any]) -> str | None:
    """Who wrote it: by the address of their page, else by name; an address of mail is neither."""
    told = entry.get("author_detail") or {}
    href = told.get("href") or ""
    return href if href.startswith(("http://", "https://")) else _name(entry)


def _name(entry: Mapping[str, Any]) -> str | None:
    """The name in ``mail@example.org (Name)`` and the like; the parsed parts may be cut wrongly."""
    return tidy(_MAIL.sub(" ", entry.get("author") or "")).strip("()<>\"' ") or None


def _tags(entry: Mapping[str, Any]) -> tuple[str, ...]:
    found = (tidy(tag.get("term") or "") for tag in entry.get("tags") or ())
    return tuple(dict.fromkeys(term for term in found if term))


def _lang(entry: Mapping[str, Any], feed: Mapping[str, Any], options: Source) -> str | None:
    told = next((one.get("language") for one in entry.get("content") or ()), None)
    return told or feed.get("language") or options.lang


def _text(entry: Mapping[str, Any], is_comment: bool) -> str:
    """The words; of a post its title too, of a comment only where it has no words."""
    title, words = _words(entry.get("title_detail") or {}), _content(entry)
    parts = (words or title,) if is_comment else (title, words)
    return "\n\n".join(part for part in parts if part)


def _content(entry: Mapping[str, Any]) -> str:
    whole = next(iter(entry.get("content") or ()), None)
    return _words(whole or entry.get("summary_detail") or {})


def _words(told: Mapping[str, Any]) -> str:
    value = told.get("value") or ""
    return tidy(value) if told.get("type") == "text/plain" else plain_html(value)


def _thread(entry: Mapping[str, Any], key: str, at: datetime, feed: Mapping[str, Any]) -> Thread:
    return Thread(
        thread_id=key,
        title=_words(entry.get("title_detail") or {}) or None,
        url=_link(entry),
        channel=tidy(feed.get("title") or "") or None,
        tags=_tags(entry),
        created_at=at,
    )
