"""One item as Facebook sent it in; the lake's rows out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from muster.records import Audience, Item, Kind, Member, Message, Review, Row
from muster.settings import Source
from muster.sources._meta import day_of
from muster.sources._newest import Place, instant, stamp
from muster.sources._text import tidy

_STARS = 5.0


def account_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our page: a member, and its followers that day."""
    told = item.body
    yield Member(
        member_id=_string(told, "id"),
        handle=told.get("username"),
        display_name=told.get("name"),
        role="staff",
        links=(told["link"],) if told.get("link") else (),
    )
    yield Audience(
        account=told["id"],
        metric="followers",
        measured_on=item.seen_at.date(),
        value=int(told["followers_count"]),
    )


def by_day(answers: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Daily insights by the day's end: each metric's value; what cannot be read by itself."""
    days: dict[str, dict[str, Any]] = {}
    for answer in answers:
        for metric in answer.get("data") or ():
            try:
                named = [(one["end_time"], metric["name"], one) for one in metric["values"]]
                for end, name, one in named:
                    days.setdefault(str(end), {})[str(name)] = one
            except (KeyError, TypeError):
                days[f"unreadable {len(days)}"] = {"metric": metric}
    return days


def follower_rows(item: Item, options: Source) -> Iterator[Row]:
    """Followers at the end of a day, gained and lost that day, and by country."""
    us, told = _us(item), item.body
    day = day_of((item.context or {})["ends"])
    if (total := _value(told, "page_follows")) is not None:
        yield Audience(
            account=us,
            metric="followers",
            measured_on=day,
            value=int(total),
            gained=_value(told, "page_daily_follows_unique"),
            lost=_value(told, "page_daily_unfollows_unique"),
        )
    for country, value in (_value(told, "page_follows_country") or {}).items():
        yield Audience(
            account=us,
            metric="followers",
            segment=f"country={country}",
            measured_on=day,
            value=int(value),
        )


def _value(told: Mapping[str, Any], metric: str) -> Any:
    """What a metric tells of the day, where it does."""
    return (told.get(metric) or {}).get("value")


def noticed(post: Mapping[str, Any]) -> tuple[str, str, int]:
    """Id, time and number of comments of a post."""
    return post["id"], post["created_time"], _total(post, "comments")


def is_ours(post: Mapping[str, Any], page: str) -> bool:
    """Whether the page itself wrote it."""
    return (post.get("from") or {}).get("id") == page


def post_rows(item: Item, options: Source) -> Iterator[Row]:
    """A post on our page or about it."""
    told = item.body
    shares = (told.get("shares") or {}).get("count")
    yield from _written(
        item,
        options,
        thread=_string(told, "id"),
        parent=None,
        kind="post",
        likes=_total(told, "reactions"),
        replies=_total(told, "comments"),
        reposts=int(shares or 0),
        views=(item.context or {}).get("views"),
    )


def comment_rows(item: Item, options: Source) -> Iterator[Row]:
    """A comment below a post, or a reply to one."""
    told, post = item.body, (item.context or {})["post"]
    above = (told.get("parent") or {}).get("id")
    yield from _written(
        item,
        options,
        thread=post,
        parent=above or post,
        kind="reply" if above else "comment",
        likes=int(told.get("like_count") or 0),
        replies=int(told.get("comment_count") or 0),
    )


def direct_rows(item: Item, options: Source) -> Iterator[Row]:
    """A private message, from the page or to it."""
    yield from _written(
        item, options, thread=(item.context or {})["talk"], parent=None, kind="direct"
    )


def _written(
    item: Item, options: Source, *, thread: str, parent: str | None, kind: Kind, **counts: Any
) -> Iterator[Row]:
    """A message and who wrote it, as far as that is told."""
    told, us = item.body, _us(item)
    author = told.get("from") or {}
    is_us = author.get("id") == us
    yield Message(
        message_id=_string(told, "id"),
        thread_id=thread,
        parent_id=parent,
        author_id=author.get("id"),
        author_role="staff" if is_us else "member",
        created_at=instant(told["created_time"]),
        kind=kind,
        direction="outbound" if is_us else "inbound",
        url=told.get("permalink_url"),
        lang=options.lang,
        text=tidy(told.get("message") or ""),
        **counts,
    )
    if author.get("id") and not is_us:
        yield Member(member_id=author["id"], display_name=author.get("name"))


def review_rows(item: Item, options: Source) -> Iterator[Row]:
    """A recommendation of the page, or stars from before there were recommendations."""
    told = item.body
    author = told.get("reviewer") or {}
    rating, best = _rated(told)
    yield Review(
        review_id=place_of(told)[1],
        author_id=author.get("id"),
        rating=rating,
        rating_max=best,
        text=tidy(told.get("review_text") or "") or None,
        created_at=instant(told["created_time"]),
    )
    if author.get("id"):
        yield Member(member_id=author["id"], display_name=author.get("name"))


def _rated(told: Mapping[str, Any]) -> tuple[float, float]:
    """The rating and the best possible one."""
    if told.get("rating") is not None:
        return float(told["rating"]), _STARS
    return {"positive": 1.0, "negative": 0.0}[told["recommendation_type"]], 1.0


def place_of(review: Mapping[str, Any]) -> Place:
    """When a review was written, and its story's id or what stands for one."""
    at, author = review["created_time"], (review.get("reviewer") or {}).get("id")
    story = (review.get("open_graph_story") or {}).get("id")
    return [stamp(instant(at)), story or f"{author or 'hidden'}:{at}"]


def _us(item: Item) -> str:
    return str((item.context or {})["us"])


def _total(told: Mapping[str, Any], name: str) -> int:
    """How many there are by the summary of a list."""
    return int(((told.get(name) or {}).get("summary") or {}).get("total_count") or 0)


def _string(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(told[name], str):
        raise TypeError(f"{name} is no text")
    return str(told[name])
