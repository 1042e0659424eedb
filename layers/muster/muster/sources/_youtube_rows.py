"""One channel, video, comment or table of days as YouTube sent it in; the lake's rows out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from muster.records import Audience, Item, Member, Message, Role, Row, Thread
from muster.settings import Source
from muster.sources._gains import by_day
from muster.sources._newest import instant
from muster.sources._text import tidy

WATCH = "https://www.youtube.com/watch?v="


def channel_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our channel: a member, and its subscribers that day unless it hides them."""
    told, counts = item.body["snippet"], item.body.get("statistics") or {}
    joined = told.get("publishedAt")
    yield Member(
        member_id=_string(item.body, "id"),
        handle=told.get("customUrl"),
        display_name=tidy(told.get("title") or "") or None,
        role="staff",
        joined_at=instant(joined) if joined else None,
        location=told.get("country"),
    )
    if not counts.get("hiddenSubscriberCount") and "subscriberCount" in counts:
        yield Audience(
            account=item.body["id"],
            metric="subscribers",
            measured_on=item.seen_at.astimezone(UTC).date(),
            value=int(counts["subscriberCount"]),
        )


def days_rows(item: Item, options: Source) -> Iterator[Row]:
    """A table of days: subscribers gained and lost, and how many there were."""
    context = item.context or {}
    names = [column["name"] for column in item.body["columnHeaders"]]
    days = [dict(zip(names, row, strict=True)) for row in item.body.get("rows") or ()]
    changes = [
        (
            date.fromisoformat(told["day"]),
            int(told["subscribersGained"]),
            int(told["subscribersLost"]),
        )
        for told in days
    ]
    yield from by_day(context["us"], "subscribers", changes, context)


def paying_rows(item: Item, options: Source) -> Iterator[Row]:
    """Somebody who pays for a membership of the channel."""
    told = item.body["snippet"]
    level = told["membershipsDetails"].get("highestAccessibleLevelDisplayName")
    yield Member(
        member_id=_string(told["memberDetails"], "channelId"),
        display_name=tidy(told["memberDetails"].get("displayName") or "") or None,
        platform_roles=(level,) if level else ("member",),
    )


def paying_count_rows(item: Item, options: Source) -> Iterator[Row]:
    """How many pay for a membership that day."""
    context, day = item.context or {}, item.seen_at.astimezone(UTC).date()
    yield Audience(account=context["us"], metric="members", measured_on=day, value=context["count"])


def video_rows(item: Item, options: Source) -> Iterator[Row]:
    """A video: what its channel says, a thread, and, of another channel, who that is."""
    video, us = item.body, (item.context or {})["us"]
    told, counts = video["snippet"], video.get("statistics") or {}
    title, author = tidy(told["title"]), _string(told, "channelId")
    parts = (title, tidy(told.get("description") or ""))
    url, tags = f"{WATCH}{_string(video, 'id')}", tuple(told.get("tags") or ())
    yield Thread(
        thread_id=video["id"],
        title=title or None,
        url=url,
        channel=video["id"],
        tags=tags,
        created_at=instant(told["publishedAt"]),
        views=_count(counts, "viewCount"),
    )
    yield Message(
        message_id=video["id"],
        thread_id=video["id"],
        author_id=author,
        author_role=_role(author, us),
        created_at=instant(told["publishedAt"]),
        direction="outbound" if author == us else "ambient",
        channel=video["id"],
        tags=tags,
        url=url,
        lang=told.get("defaultAudioLanguage") or told.get("defaultLanguage") or options.lang,
        text="\n\n".join(part for part in parts if part),
        likes=_count(counts, "likeCount") or 0,
        replies=_count(counts, "commentCount") or 0,
        views=_count(counts, "viewCount"),
    )
    if author != us:
        name = tidy(told.get("channelTitle") or "") or None
        yield Member(member_id=author, display_name=name)


def thread_rows(item: Item, options: Source) -> Iterator[Row]:
    """A thread under a video: its first comment."""
    told = item.body["snippet"]
    yield from _comment(told["topLevelComment"], item, options, int(told["totalReplyCount"]))


def comment_rows(item: Item, options: Source) -> Iterator[Row]:
    """A comment: a message, and its author where the account is still there."""
    yield from _comment(item.body, item, options, int((item.context or {}).get("replies") or 0))


def _comment(
    comment: Mapping[str, Any], item: Item, options: Source, replies: int
) -> Iterator[Row]:
    told, us = comment["snippet"], (item.context or {})["us"]
    author, parent = writer(comment), told.get("parentId")
    video = told.get("videoId") or (item.context or {}).get("video")
    yield Message(
        message_id=_string(comment, "id"),
        thread_id=parent or comment["id"],
        parent_id=parent,
        author_id=author,
        author_role=_role(author, us),
        created_at=created_at(comment),
        edited_at=_edited_at(told),
        kind="reply" if parent else "comment",
        direction="outbound" if author == us else "inbound",
        channel=video,
        url=f"{WATCH}{video}&lc={comment['id']}" if video else None,
        lang=options.lang,
        text=_text(told),
        likes=int(told.get("likeCount") or 0),
        replies=replies,
    )
    if author:
        name = tidy(told.get("authorDisplayName") or "") or None
        is_handle = bool(name and name.startswith("@"))
        yield Member(
            member_id=author,
            handle=name if is_handle else None,
            display_name=None if is_handle else name,
            role=_role(author, us),
        )


def created_at(comment: Mapping[str, Any]) -> datetime:
    """When a comment was written."""
    return instant(comment["snippet"]["publishedAt"])


def writer(comment: Mapping[str, Any]) -> str | None:
    """The channel that wrote a comment; none once it is gone."""
    told = comment["snippet"].get("authorChannelId") or {}
    return told.get("value") or None


def _edited_at(told: Mapping[str, Any]) -> datetime | None:
    written, updated = instant(told["publishedAt"]), told.get("updatedAt")
    changed = instant(updated) if updated else written
    return changed if changed > written else None


def _text(told: Mapping[str, Any]) -> str:
    """As it was typed, where YouTube tells; else as it is shown, which was asked for plain."""
    return tidy(told["textDisplay"] if told.get("textOriginal") is None else told["textOriginal"])


def _role(author: str | None, us: str) -> Role:
    return "staff" if author == us else "member"


def _string(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(told[name], str):
        raise TypeError(f"{name} is no text")
    return str(told[name])


def _count(counts: Mapping[str, Any], name: str) -> int | None:
    """A count, which comes as text; none where the channel hides it."""
    return int(counts[name]) if counts.get(name) is not None else None
