"""One item as Instagram sent it in; the lake's rows out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from muster.records import Audience, Item, Kind, Member, Message, Row
from muster.settings import Source
from muster.sources._meta import day_of
from muster.sources._newest import instant
from muster.sources._text import tidy


def account_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our account: a member, and its followers that day."""
    told, username = item.body, item.body.get("username")
    if username:
        yield Member(
            member_id=username,
            handle=username,
            display_name=told.get("name"),
            role="staff",
            links=(told["website"],) if told.get("website") else (),
        )
    yield Audience(
        account=_string(told, "id"),
        metric="followers",
        measured_on=item.seen_at.date(),
        value=int(told["followers_count"]),
    )


def new_rows(item: Item, options: Source) -> Iterator[Row]:
    """New followers of past days, beside the totals measured then; other days have no row."""
    totals = (item.context or {}).get("totals") or {}
    for metric in item.body["data"]:
        for told in metric["values"]:
            day = day_of(told["end_time"])
            total = totals.get(str(day))
            if total is not None and told.get("value") is not None:
                yield Audience(
                    account=_us(item)["id"],
                    metric="followers",
                    measured_on=day,
                    value=int(total),
                    gained=int(told["value"]),
                )


def country_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our followers by country that day."""
    for metric in item.body["data"]:
        for breakdown in (metric.get("total_value") or {}).get("breakdowns") or ():
            for found in breakdown.get("results") or ():
                (country,) = found["dimension_values"]
                yield Audience(
                    account=_us(item)["id"],
                    metric="followers",
                    segment=f"country={country}",
                    measured_on=item.seen_at.date(),
                    value=int(found["value"]),
                )


def noticed(media: Mapping[str, Any]) -> tuple[str, str, int]:
    """Id, time and number of comments, replies included, of a medium."""
    return media["id"], media["timestamp"], int(media.get("comments_count") or 0)


def media_rows(item: Item, options: Source) -> Iterator[Row]:
    """A medium of ours, or one of somebody who tagged us."""
    told, context = item.body, item.context or {}
    is_ours = context.get("is_ours")
    author = _us(item)["username"] if is_ours else told.get("username")
    yield from _written(
        item,
        options,
        thread=_string(told, "id"),
        parent=None,
        kind="post",
        author=author,
        at=told["timestamp"],
        text=told.get("caption"),
        url=told.get("permalink"),
        likes=int(told.get("like_count") or 0),
        replies=int(told.get("comments_count") or 0),
        views=context.get("views"),
    )


def comment_rows(item: Item, options: Source) -> Iterator[Row]:
    """A comment under a medium of ours with the replies it came with, or a reply."""
    told, context = item.body, item.context or {}
    yield from _comment(item, options)
    for reply in (told.get("replies") or {}).get("data") or ():
        below = {**context, "above": told}
        yield from _comment(Item("comment", reply, item.seen_at, below), options)


def _comment(item: Item, options: Source) -> Iterator[Row]:
    """A comment, or a reply to the one ``above``."""
    told, context = item.body, item.context or {}
    above = context.get("above") or {}
    parent = told.get("parent_id") or above.get("id")
    media = told.get("media") or above.get("media") or {}
    yield from _written(
        item,
        options,
        thread=context["media"],
        parent=parent or context["media"],
        kind="reply" if parent else "comment",
        author=_author(item),
        at=told["timestamp"],
        text=told.get("text"),
        url=media.get("permalink"),
        likes=int(told.get("like_count") or 0),
    )


def direct_rows(item: Item, options: Source) -> Iterator[Row]:
    """A private message, from us or to us."""
    told, talk = item.body, (item.context or {})["talk"]
    yield from _written(
        item,
        options,
        thread=talk,
        parent=None,
        kind="direct",
        author=_author(item),
        at=told["created_time"],
        text=told.get("message"),
    )


def _author(item: Item) -> str | None:
    """The username of who wrote it; our own where only our id says so."""
    told, us = item.body, _us(item)
    frm, user = told.get("from") or {}, told.get("user") or {}
    if us["id"] in (frm.get("id"), user.get("id")):
        return str(us["username"])
    return frm.get("username") or told.get("username")


def _written(
    item: Item,
    options: Source,
    *,
    thread: str,
    parent: str | None,
    kind: Kind,
    author: str | None,
    at: str,
    text: str | None,
    **more: Any,
) -> Iterator[Row]:
    """A message and who wrote it, as far as that is told."""
    is_us = author is not None and author == _us(item)["username"]
    yield Message(
        message_id=_string(item.body, "id"),
        thread_id=thread,
        parent_id=parent,
        author_id=author,
        author_role="staff" if is_us else "member",
        created_at=instant(at),
        kind=kind,
        direction="outbound" if is_us else "inbound",
        lang=options.lang,
        text=tidy(text or ""),
        **more,
    )
    if author and not is_us:
        yield Member(member_id=author, handle=author)


def _us(item: Item) -> Mapping[str, Any]:
    told: Mapping[str, Any] = (item.context or {})["us"]
    return told


def _string(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(told[name], str):
        raise TypeError(f"{name} is no text")
    return str(told[name])
