"""One item as X sent it in, either generation of its names; the lake's rows out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from muster.records import Audience, Item, Member, Message, Row
from muster.settings import Source
from muster.sources._newest import instant

_NO_LANGUAGE = ("und", "art", "zxx", "qam", "qct", "qht", "qme", "qst")
_EPOCH_MS = 1_288_834_974_657  # ids carry the time they were given, counted from here


def account_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our account: a member, and its followers that day."""
    user, day = item.body, item.seen_at.astimezone(UTC).date()
    yield _member(user, user["id"])
    yield Audience(
        account=user["id"],
        metric="followers",
        measured_on=day,
        value=int(user["public_metrics"]["followers_count"]),
    )


def user_rows(item: Item, options: Source) -> Iterator[Row]:
    """Somebody who wrote a post."""
    yield _member(item.body, (item.context or {})["us"]["id"])


def _member(user: Mapping[str, Any], our_id: str) -> Member:
    joined = user.get("created_at")
    return Member(
        member_id=_string(user, "id"),
        handle=user.get("username"),
        display_name=user.get("name"),
        role="staff" if user["id"] == our_id else "member",
        joined_at=instant(joined) if joined else None,
        location=user.get("location"),
        links=_profile_links(user),
    )


def _profile_links(user: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the profile's own address leads, the short link written out."""
    told = ((user.get("entities") or {}).get("url") or {}).get("urls") or ()
    found = [_either(one, "expanded_url", "url") for one in told] or [user.get("url")]
    return tuple(str(link) for link in found if link)


def post_rows(item: Item, options: Source) -> Iterator[Row]:
    """A post as a message; none for a plain repost or an outdated version."""
    post, context = item.body, item.context or {}
    first, *_, last = [*history(post), history(post)[-1]]
    if _string(post, "id") != last or reference(post, "retweeted"):
        return  # an outdated version, or a repost
    us, author = context["us"], post.get("author_id")
    created_at, edited_at = _times(post, first)
    counts = post.get("public_metrics") or {}
    parent = reference(post, "replied_to")
    yield Message(
        message_id=first,
        thread_id=post.get("conversation_id") or first,
        parent_id=parent,
        author_id=author,
        author_role="staff" if author == us["id"] else "member",
        created_at=created_at,
        edited_at=edited_at,
        kind="reply" if parent else "quote" if reference(post, "quoted") else "post",
        direction=_direction(post, context),
        tags=_tags(post),
        url=f"https://x.com/{context.get('handle') or 'i'}/status/{last}",
        lang=_lang(post, options),
        text=_text(post),
        likes=int(counts.get("like_count", 0)),
        reposts=int(_either(counts, "retweet_count", "repost_count") or 0)
        + int(counts.get("quote_count", 0)),
        replies=int(counts.get("reply_count", 0)),
        views=counts.get("impression_count"),
    )


def _either(told: Mapping[str, Any], *names: str) -> Any:
    """The value under whichever generation of the name is there."""
    return next((told[name] for name in names if name in told), None)


def _string(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(told[name], str):
        raise TypeError(f"{name} is no text")
    return str(told[name])


def history(post: Mapping[str, Any]) -> list[str]:
    """Every id the post has had, oldest first."""
    return _either(post, "edit_history_tweet_ids", "edit_history_post_ids") or [_string(post, "id")]


def reference(post: Mapping[str, Any], kind: str) -> str | None:
    """The post it refers to as ``replied_to``, ``quoted`` or ``retweeted``."""
    references = _either(post, "referenced_tweets", "referenced_posts") or ()
    return next((other["id"] for other in references if other["type"] == kind), None)


def _times(post: Mapping[str, Any], first: str) -> tuple[datetime, datetime | None]:
    """When it was written and last edited.

    An edit has a new id, and ids carry their time: where that time agrees with ``created_at``,
    the first id tells when the message was written, however often it was edited since.
    """
    told = instant(post["created_at"])
    if post["id"] == first:
        return told, None
    started, ended = _id_time(first), _id_time(post["id"])
    if abs(told - ended) < timedelta(seconds=2):
        return started, told
    if abs(told - started) < timedelta(seconds=2):
        return told, ended
    return told, told


def _id_time(post_id: str) -> datetime:
    seconds = ((int(post_id) >> 22) + _EPOCH_MS) // 1000
    return datetime.fromtimestamp(min(seconds, 2**33), UTC)


def _direction(
    post: Mapping[str, Any], context: Mapping[str, Any]
) -> Literal["inbound", "ambient", "outbound"]:
    us = context["us"]
    if post.get("author_id") == us["id"]:
        return "outbound"
    names_us = re.compile(rf"(?<!\w)@{re.escape(us['handle'])}(?!\w)", re.IGNORECASE)
    speaks_to_us = (
        post.get("in_reply_to_user_id") == us["id"]
        or any(mention.get("id") == us["id"] for mention in _entities(post, "mentions"))
        or names_us.search(_text(post))
        or context.get("is_under_ours")
    )
    return "inbound" if speaks_to_us else "ambient"


def _entities(post: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    """Mentions, hashtags or links, of the long text where there is one."""
    note = _either(post, "note_tweet", "note_post") or {}
    return (note.get("entities") or post.get("entities") or {}).get(kind) or ()


def _text(post: Mapping[str, Any]) -> str:
    """The whole text, entities decoded, short links written out."""
    note = _either(post, "note_tweet", "note_post") or {}
    text = html.unescape(note.get("text") or post["text"])
    links = [(link["url"], link.get("expanded_url")) for link in _entities(post, "urls")]
    for short, long in sorted(links, key=lambda link: -len(link[0])):
        text = text.replace(short, long or short)
    return text


def _tags(post: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag["tag"] for tag in _entities(post, "hashtags")))


def _lang(post: Mapping[str, Any], options: Source) -> str | None:
    """X's guess; the source's language where X could not tell; none where there are no words."""
    told = post.get("lang") or "und"
    if told == "und":
        return options.lang
    return None if told in _NO_LANGUAGE else str(told)


def is_readable(post: Any) -> bool:
    """Whether a post has the shape that fetching needs; if not, its mapping says why."""
    try:
        instant(post["created_at"])
        return reference(post, "replied_to") != "" and all(history(post))
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
