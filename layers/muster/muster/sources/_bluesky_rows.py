"""One post view or profile as Bluesky sent it in; the lake's rows out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from muster.clock import DAY
from muster.records import Audience, Item, Kind, Member, Message, Row
from muster.settings import Source
from muster.sources._newest import instant

POSTS = "/app.bsky.feed.post/"
_PRIVATE = "!no-unauthenticated"
_BOT = "bot"


def account_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our account: a member, and its followers that day."""
    profile = item.body
    yield _member(profile, profile["did"])
    yield Audience(
        account=profile["did"],
        metric="followers",
        measured_on=item.seen_at.astimezone(UTC).date(),
        value=int(profile["followersCount"]),
    )


def feed_rows(item: Item, options: Source) -> Iterator[Row]:
    """An entry of our feed: a post, unless it is there as a repost or pinned."""
    if not item.body.get("reason"):
        yield from _rows_of(item.body["post"], item.context or {}, options)


def post_rows(item: Item, options: Source) -> Iterator[Row]:
    """A post as a message, and its author as a member."""
    yield from _rows_of(item.body, item.context or {}, options)


def _rows_of(post: Mapping[str, Any], us: Mapping[str, Any], options: Source) -> Iterator[Row]:
    author, record = post.get("author") or {}, post["record"]
    uri, writer = post["uri"], repository(post["uri"])
    is_private = _PRIVATE in _labels(author) and writer != us["did"]
    yield Message(
        message_id=uri,
        thread_id=root_of(post),
        parent_id=_parent_of(post),
        author_id=writer,
        author_role=_role(author, writer, us["did"]),
        created_at=created_at(post),
        kind=_kind(record),
        direction=_direction(post, us),
        tags=() if is_private else _tags(record),
        url=None if is_private else _url(uri, author),
        lang=next(iter(record.get("langs") or ()), options.lang),
        text=None if is_private else _text(record),
        likes=int(post.get("likeCount", 0)),
        reposts=int(post.get("repostCount", 0)) + int(post.get("quoteCount", 0)),
        replies=int(post.get("replyCount", 0)),
    )
    if author:
        yield _member(author, us["did"])


def _member(author: Mapping[str, Any], our_did: str) -> Member:
    is_private = _PRIVATE in _labels(author) and author["did"] != our_did
    joined = author.get("createdAt")
    return Member(
        member_id=author["did"],
        handle=None if is_private else author.get("handle"),
        display_name=None if is_private else author.get("displayName") or None,
        role=_role(author, author["did"], our_did),
        is_bot=_BOT in _labels(author),
        joined_at=instant(joined) if joined else None,
    )


def _role(author: Mapping[str, Any], did: str, our_did: str) -> Literal["staff", "bot", "member"]:
    if did == our_did:
        return "staff"
    return "bot" if _BOT in _labels(author) else "member"


def _labels(labelled: Mapping[str, Any]) -> set[str]:
    labels = labelled.get("labels") or ()
    return {label["val"] for label in labels if not label.get("neg")}


def repository(uri: str) -> str:
    """Whose record it is: ``at://did:plc:abc/…`` → ``did:plc:abc``."""
    if not uri.startswith("at://"):
        raise ValueError(f"{uri[:80]!r} is no at:// address")
    return uri.removeprefix("at://").partition("/")[0]


def is_ours(uri: str, did: str) -> bool:
    """Whether a post stands in our own repository."""
    return uri.startswith(f"at://{did}{POSTS}")


def root_of(post: Mapping[str, Any]) -> str:
    """The first post of its thread."""
    reply = post["record"].get("reply")
    return str(reply["root"]["uri"] if reply else post["uri"])


def _parent_of(post: Mapping[str, Any]) -> str | None:
    reply = post["record"].get("reply")
    return str(reply["parent"]["uri"]) if reply else None


def created_at(post: Mapping[str, Any]) -> datetime:
    """When it was written, as its author's app says, if the network saw it that day."""
    told, seen = instant(post["record"]["createdAt"]), instant(post["indexedAt"])
    return told if told <= seen <= told + DAY else seen


def placed_at(post: Mapping[str, Any]) -> datetime:
    """Where it stands in a feed or search: as written, but never later than it was seen."""
    return min(instant(post["record"]["createdAt"]), instant(post["indexedAt"]))


def is_readable(post: Any) -> bool:
    """Whether a post has the shape that fetching needs; if not, its mapping says why."""
    try:
        created_at(post)
        return bool(repository(post["uri"]) and repository(root_of(post)))
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _direction(
    post: Mapping[str, Any], us: Mapping[str, Any]
) -> Literal["inbound", "ambient", "outbound"]:
    if repository(post["uri"]) == us["did"]:
        return "outbound"
    above = (root_of(post), _parent_of(post) or "")
    if any(is_ours(uri, us["did"]) for uri in above) or _names(post["record"], us):
        return "inbound"
    return "ambient"


def _names(record: Mapping[str, Any], us: Mapping[str, Any]) -> bool:
    handle = rf"(?<![\w.])@{re.escape(us['handle'])}(?![\w-]|\.\w)"
    return us["did"] in _features(record, "mention", "did") or bool(
        re.search(handle, record.get("text", ""), re.IGNORECASE)
    )


def _features(record: Mapping[str, Any], kind: str, key: str) -> list[str]:
    """Values of the text's links, mentions or tags."""
    return [
        feature[key]
        for facet in record.get("facets") or ()
        for feature in facet["features"]
        if feature["$type"] == f"app.bsky.richtext.facet#{kind}"
    ]


def _tags(record: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*_features(record, "tag", "tag"), *(record.get("tags") or ())]))


def _kind(record: Mapping[str, Any]) -> Kind:
    if record.get("reply"):
        return "reply"
    embed = record.get("embed") or {}
    quoted = embed.get("record") or {}
    quoted = quoted.get("record") or quoted  # one deeper beside pictures
    return "quote" if POSTS in quoted.get("uri", "") else "post"


def _text(record: Mapping[str, Any]) -> str:
    """The text; without one, what pictures and videos are described as."""
    if record["text"]:
        return str(record["text"])
    embed = record.get("embed") or {}
    media = embed.get("media") or embed
    parts = [media, *(media.get("images") or ()), *(media.get("items") or ())]
    return "\n".join(part["alt"] for part in parts if part.get("alt"))


def _url(uri: str, author: Mapping[str, Any]) -> str:
    handle = author.get("handle")
    who = handle if handle and handle != "handle.invalid" else repository(uri)
    return f"https://bsky.app/profile/{who}/post/{uri.rpartition('/')[2]}"
