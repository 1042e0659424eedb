"""One item as LinkedIn sent it in; what of it may be stored, and the lake's rows, out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from muster.records import Audience, Item, Kind, Member, Message, Row
from muster.settings import Source
from muster.sources._linkedin import moment
from muster.sources._newest import Place, stamp
from muster.sources._reviews import times
from muster.sources._text import tidy

_MENTION = re.compile(r"@\[((?:\\.|[^\]\\]){0,500})\]\(urn:[^)\s]{1,200}\)")
_HASHTAG = re.compile(r"\{hashtag\|\\?#\|((?:\\.|[^}\\]){1,500})\}")
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")
_OPEN = ("id", "commentUrn", "object", "parentComment")  # what says nothing of a member
_OPEN_MENTION = (
    "notificationId", "organizationalEntity", "action", "sourcePost", "generatedActivity",
    "lastModifiedAt",
)  # fmt: skip


def placed_comment(comment: Any) -> Place:
    """Where a comment stands."""
    return [stamp(moment(comment["created"]["time"])), _string(comment, "id")]


def placed_post(post: Any) -> Place:
    """Where a post stands."""
    return [stamp(moment(_published(post))), _string(post, "id")]


def _published(post: Mapping[str, Any]) -> Any:
    return post.get("publishedAt") or post["createdAt"]


def comments_in(figures: Any) -> int:
    """How many comments a post has by its figures; -1 if that is not told: they are looked for."""
    count = figures.get("commentCount") if isinstance(figures, Mapping) else None
    return count if isinstance(count, int) else -1


def has_replies(comment: Any) -> bool:
    """Whether a comment tells that it was answered."""
    told = comment.get("commentsSummary") if isinstance(comment, Mapping) else None
    if not (isinstance(told, Mapping) and isinstance(comment.get("commentUrn"), str)):
        return False
    return bool(told.get("totalFirstLevelComments") or told.get("aggregatedTotalComments"))


def storable(comment: Any, us: str, keeps_members: bool) -> Any:
    """A comment without what LinkedIn lets nobody keep: whole if it is ours or may be kept."""
    if not isinstance(comment, Mapping):
        return None
    is_ours = comment.get("actor") == f"urn:li:organization:{us}"
    if keeps_members:
        return comment
    kept = {name: comment[name] for name in _OPEN if name in comment}
    for name in ("created", "lastModified"):
        told = comment.get(name)
        if isinstance(told, Mapping) and "time" in told:
            kept[name] = {"time": told["time"]}
    for name in ("likesSummary", "commentsSummary"):
        told = comment.get(name)
        if isinstance(told, Mapping):
            kept[name] = {key: one for key, one in told.items() if isinstance(one, int)}
    if is_ours:
        kept.update((name, comment[name]) for name in ("actor", "message") if name in comment)
    return kept


def placed_mention(told: Any) -> Place:
    """Where a post of somebody else stands that mentions us."""
    return [stamp(moment(told["lastModifiedAt"])), _mentioning(told)]


def _mentioning(told: Mapping[str, Any]) -> str:
    return _string(told, "generatedActivity" if told.get("generatedActivity") else "sourcePost")


def is_by(told: Any, us: str) -> bool:
    """Whether a notification is of what we wrote ourselves."""
    return isinstance(told, Mapping) and _share(told).get("owner") == f"urn:li:organization:{us}"


def _share(told: Mapping[str, Any]) -> Mapping[str, Any]:
    decorated = told.get("decoratedGeneratedActivity")
    share = decorated.get("share") if isinstance(decorated, Mapping) else None
    return share if isinstance(share, Mapping) else {}


def storable_mention(told: Any, keeps_members: bool) -> Any:
    """A notification without what LinkedIn lets nobody keep, unless it may be kept."""
    if keeps_members or not isinstance(told, Mapping):
        return told
    return {name: told[name] for name in _OPEN_MENTION if name in told}


def mention_rows(item: Item, options: Source) -> Iterator[Row]:
    """A post of somebody else that mentions us; without text and author, unless they were kept."""
    told, share = item.body, _share(item.body)
    post, author = _mentioning(told), share.get("owner")
    created, _ = times(moment(told["lastModifiedAt"]), item.context)
    yield Message(
        message_id=post,
        thread_id=post,
        author_id=author,
        author_role="member",
        created_at=created,
        kind="post",
        direction="inbound",
        url=f"https://www.linkedin.com/feed/update/{post}/",
        lang=options.lang,
        text=plain(share.get("text") or "") if share else None,
    )
    if author:
        yield Member(member_id=author)


def account_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our organisation as a member."""
    told = item.body
    vanity = told.get("vanityName")
    yield Member(
        member_id=f"urn:li:organization:{told['id']}",
        handle=vanity,
        display_name=told.get("localizedName"),
        role="staff",
        links=(told["localizedWebsite"],) if told.get("localizedWebsite") else (),
    )


def follower_rows(item: Item, options: Source) -> Iterator[Row]:
    """Our followers that day."""
    yield _followers(item, item.seen_at.date(), item.body["firstDegreeSize"])


def _followers(item: Item, day: date, value: int, net: int | None = None) -> Audience:
    return Audience(
        account=f"urn:li:organization:{(item.context or {})['us']}",
        metric="followers",
        measured_on=day,
        value=int(value),
        gained=None if net is None else max(net, 0),
        lost=None if net is None else max(-net, 0),
    )


def gain_rows(item: Item, options: Source) -> Iterator[Row]:
    """Followers gained each day, beside the total: the measured one, or one counted back."""
    context = item.context or {}
    nets = {}
    for one in item.body["elements"]:
        gains = one["followerGains"]
        day = moment(one["timeRange"]["start"]).date()
        nets[day] = int(gains["organicFollowerGain"]) + int(gains["paidFollowerGain"])
    totals = context.get("totals") or {}
    for day, value in _counted_back(nets, context.get("first")).items():
        measured = totals.get(str(day))
        total = value if measured is None else measured
        if total is not None:
            yield _followers(item, day, total, nets[day])


def _counted_back(nets: Mapping[date, int], first: Any) -> dict[date, int | None]:
    """The total at each day's end from before the first measured one; none after that."""
    if not first:
        return dict.fromkeys(nets)
    measured_on, total = date.fromisoformat(first[0]), int(first[1])
    found: dict[date, int | None] = dict.fromkeys(nets)
    for day in sorted((one for one in nets if one < measured_on), reverse=True):
        found[day] = max(total, 0)
        total -= nets[day]
    return found


def post_rows(item: Item, options: Source) -> Iterator[Row]:
    """A post of ours that is published."""
    told, figures = item.body, (item.context or {}).get("figures") or {}
    if told.get("lifecycleState", "PUBLISHED") != "PUBLISHED":
        return
    post, text = _string(told, "id"), plain(told.get("commentary") or "")
    is_edited = (told.get("lifecycleStateInfo") or {}).get("isEditedByAuthor")
    yield Message(
        message_id=post,
        thread_id=post,
        author_id=told.get("author"),
        author_role="staff",
        created_at=moment(_published(told)),
        edited_at=moment(told["lastModifiedAt"]) if is_edited else None,
        kind=_kind(told, text),
        direction="outbound",
        url=f"https://www.linkedin.com/feed/update/{post}/",
        lang=options.lang,
        text=text,
        likes=int(figures.get("likeCount") or 0),
        reposts=int(figures.get("shareCount") or 0),
        replies=int(figures.get("commentCount") or 0),
        views=figures.get("impressionCount"),
    )


def _kind(post: Mapping[str, Any], text: str) -> Kind:
    if not post.get("reshareContext"):
        return "post"
    return "quote" if text else "repost"


def comment_rows(item: Item, options: Source) -> Iterator[Row]:
    """A comment or a reply; of others' without text and author, unless they were kept."""
    told, context = item.body, item.context or {}
    actor, us = told.get("actor"), f"urn:li:organization:{context['us']}"
    number, above = _string(told, "id"), told.get("parentComment")
    created = moment(told["created"]["time"])
    modified = (told.get("lastModified") or {}).get("time")
    edited = moment(modified) if modified is not None else created
    yield Message(
        message_id=told.get("commentUrn") or f"urn:li:comment:({told['object']},{number})",
        thread_id=context["post"],
        parent_id=above or context["post"],
        author_id=actor,
        author_role="staff" if actor == us else "member",
        created_at=created,
        edited_at=edited if edited > created else None,
        kind="reply" if above else "comment",
        direction="outbound" if actor == us else "inbound",
        url=f"https://www.linkedin.com/feed/update/{context['post']}/",
        lang=options.lang,
        text=tidy(told["message"].get("text") or "") if told.get("message") else None,
        likes=_likes(told),
        replies=int((told.get("commentsSummary") or {}).get("totalFirstLevelComments") or 0),
    )
    if actor and actor != us:
        yield Member(member_id=actor)


def _likes(comment: Mapping[str, Any]) -> int:
    told = comment.get("likesSummary") or {}
    return int(told.get("aggregatedTotalLikes") or told.get("totalLikes") or 0)


def plain(text: str) -> str:
    r"""The text of a post, which LinkedIn writes in its "little" format.

    >>> plain(r"Join @[Ada \(she\)](urn:li:person:1) \(soon\) {hashtag|\#|wifi}")
    'Join Ada (she) (soon) #wifi'
    """
    text = _HASHTAG.sub(r"#\1", _MENTION.sub(r"\1", text))
    return tidy(_ESCAPED.sub(r"\1", text))


def _string(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(told[name], str):
        raise TypeError(f"{name} is no text")
    return str(told[name])
