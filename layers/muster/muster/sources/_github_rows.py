"""One item of GitHub in, REST's or GraphQL's; the lake's rows out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from muster.records import Audience, Deletion, Item, Member, Message, Role, Row, Thread
from muster.settings import Source
from muster.sources._downward import gone_rows
from muster.sources._newest import instant
from muster.sources._text import plain_markdown, tidy

STAFF = ("OWNER", "MEMBER", "COLLABORATOR")
DISCUSSION = "discussion-"
FOREIGN = "#"  # between another repository's name and an issue's number
_COMMENTS = {"issues": "issuecomment-", "pull": "discussion_r"}
_AGAINST = ("-1", "THUMBS_DOWN")
_UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_WEB = "https://github.com"


def rows_of(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """The rows of one item; stumbles over a shape it does not know."""
    return _MAPPINGS[item.stream](item, options)


def _repository(item: Item, options: Source) -> Iterator[Row]:
    """Stars are a repository's followers, those who watch it its subscribers."""
    told, day = item.body, item.seen_at.astimezone(UTC).date()
    for metric, name in (("followers", "stargazers_count"), ("subscribers", "subscribers_count")):
        if name in told:
            yield _audience(told["full_name"], metric, day, int(told[name]))


def _views(item: Item, options: Source) -> Iterator[Row]:
    """Views and visitors of each of the last 14 days, but of the one that is not over."""
    account, today = (item.context or {})["account"], item.seen_at.astimezone(UTC).date()
    for told in item.body["views"]:
        day = instant(told["timestamp"]).date()
        if day < today:
            yield _audience(account, "views", day, int(told["count"]))
            yield _audience(account, "visitors", day, int(told["uniques"]))


def _stars(item: Item, options: Source) -> Iterator[Row]:
    """Stars that still stand, by the day they were given; the last day is the next page's."""
    context = item.context or {}
    total = context["total"]
    days = star_days(item.body, context["open"])
    today = item.seen_at.astimezone(UTC).date()
    for day in sorted(days)[: None if context["is_last"] else -1]:
        total += days[day]
        if date.fromisoformat(day) < today:
            yield _audience(
                context["account"], "followers", date.fromisoformat(day), total, days[day]
            )


def star_days(edges: Any, still_open: Mapping[str, int]) -> Counter[str]:
    """How many stars were given on each day, with those of a day that began on the page before."""
    return Counter(dict(still_open)) + Counter(edge["starredAt"][:10] for edge in edges)


def _audience(
    account: str, metric: str, day: date, value: int, gained: int | None = None
) -> Audience:
    return Audience(account=account, metric=metric, measured_on=day, value=value, gained=gained)


# ---- issues, pull requests and their comments, as REST tells them ----------------------------


def _issue(item: Item, options: Source) -> Iterator[Row]:
    issue = item.body
    number, is_pull = _id(issue["number"]), "pull_request" in issue
    channel = "pull requests" if is_pull else "issues"
    tags = tuple(
        label if isinstance(label, str) else label["name"] for label in issue.get("labels") or ()
    )
    yield _message(
        issue, options, message_id=number, thread_id=number, kind="post", channel=channel,
        tags=tags, url=issue["html_url"], replies=int(issue.get("comments") or 0),
    )  # fmt: skip
    yield Thread(
        thread_id=number,
        title=tidy(issue["title"]),
        url=issue["html_url"],
        channel=channel,
        tags=tags,
        created_at=instant(issue["created_at"]),
        closed_at=_maybe(issue.get("closed_at")),
    )
    yield from _account(item, issue)


def _found(item: Item, options: Source) -> Iterator[Row]:
    """An issue of another repository, where our staff is nobody's and its staff is not ours."""
    issue = item.body
    repository = "/".join(issue["repository_url"].rsplit("/", 2)[1:])
    number = f"{repository}{FOREIGN}{_id(issue['number'])}"
    is_bot = _role(issue.get("user"), "NONE", "type") == "bot"
    yield Message(
        message_id=number,
        thread_id=number,
        author_id=_author(issue.get("user"), "id"),
        author_role="bot" if is_bot else "member",
        created_at=instant(issue["created_at"]),
        kind="post",
        direction="ambient",
        channel=repository,
        url=issue["html_url"],
        lang=options.lang,
        text=_text(issue["body"]),
        likes=_likes(issue.get("reactions") or {}),
        replies=int(issue.get("comments") or 0),
    )


def _comment(item: Item, options: Source) -> Iterator[Row]:
    """A comment under an issue or a pull request: flat, it names no other it answers."""
    told = item.body
    written, changed = instant(told["created_at"]), instant(told["updated_at"])
    yield _message(
        told, options, message_id=f"issuecomment-{_id(told['id'])}",
        thread_id=_number(told["issue_url"]), kind="comment", url=told["html_url"],
        channel="pull requests" if "/pull/" in told["html_url"] else "issues",
        edited_at=changed if changed > written else None,
    )  # fmt: skip
    yield from _account(item, told)


def _remark(item: Item, options: Source) -> Iterator[Row]:
    """A comment on a line of a pull request."""
    told = item.body
    written, changed = instant(told["created_at"]), instant(told["updated_at"])
    above = told.get("in_reply_to_id")
    yield _message(
        told, options, message_id=f"discussion_r{_id(told['id'])}",
        thread_id=_number(told["pull_request_url"]), kind="comment", url=told["html_url"],
        parent_id=f"discussion_r{_id(above)}" if above else None, channel="pull requests",
        edited_at=changed if changed > written else None,
    )  # fmt: skip
    yield from _account(item, told)


def _review(item: Item, options: Source) -> Iterator[Row]:
    """What a review of a pull request says as a whole; most say nothing."""
    told = item.body
    if not told["body"]:
        return
    yield _message(
        {**told, "created_at": told["submitted_at"]}, options,
        message_id=f"pullrequestreview-{_id(told['id'])}",
        thread_id=_number(told["pull_request_url"]), kind="comment", url=told["html_url"],
        channel="pull requests",
    )  # fmt: skip
    yield from _account(item, told)


def _message(told: Mapping[str, Any], options: Source, **known: Any) -> Message:
    """What all that REST tells has in common."""
    role = _role(told.get("user"), told["author_association"], "type")
    return Message(
        author_id=_author(told.get("user"), "id"),
        author_role=role,
        created_at=instant(told["created_at"]),
        direction="outbound" if role == "staff" else "inbound",
        lang=options.lang,
        text=_text(told["body"]),
        likes=_likes(told.get("reactions") or {}),
        **known,
    )


def _likes(reactions: Mapping[str, Any]) -> int:
    return int(reactions.get("total_count") or 0) - int(reactions.get("-1") or 0)


def _account(item: Item, told: Mapping[str, Any]) -> Iterator[Member]:
    """Who wrote it; nobody once the account is gone."""
    user, groups = told.get("user"), (item.context or {}).get("groups")
    if user is None or _author(user, "id") is None:
        return
    role = _role(user, told["author_association"], "type")
    yield Member(
        member_id=_id(user["id"]),
        handle=user["login"],
        role=role,
        is_bot=role == "bot",
        groups=None if groups is None else tuple(groups.get(_id(user["id"]), ())),
        platform_roles=(str(told["author_association"]).lower(),),
    )


def _teammate(item: Item, options: Source) -> Iterator[Member]:
    """Somebody of a team that the settings name."""
    user, groups = item.body, (item.context or {})["groups"]
    member = _id(user["id"])
    yield Member(member_id=member, handle=user["login"], groups=tuple(groups[member]))


# ---- discussions, as GraphQL tells them -------------------------------------------------------


def _discussion(item: Item, options: Source) -> Iterator[Row]:
    told = item.body
    thread = f"{DISCUSSION}{_id(told['number'])}"
    channel, answer = tidy(told["category"]["name"]), told.get("answer") or {}
    tags = tuple(label["name"] for label in (told.get("labels") or {}).get("nodes") or ())
    comments = told.get("comments") or {}
    yield _said(
        told, options, message_id=thread, thread_id=thread, kind="post", channel=channel,
        tags=tags, replies=int(comments.get("totalCount") or 0),
    )  # fmt: skip
    yield Thread(
        thread_id=thread,
        title=tidy(told["title"]),
        url=told["url"],
        channel=channel,
        tags=tags,
        created_at=instant(told["createdAt"]),
        closed_at=_maybe(told.get("closedAt")),
        solved_at=_maybe(told.get("answerChosenAt")),
        solved_by=_author(answer.get("author"), "databaseId"),
    )
    yield from _speaker(item, told)


def _discussed(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """A comment under a discussion, and its replies."""
    yield from _one_discussed(item, item.body, options, None)
    for reply in (item.body.get("replies") or {}).get("nodes") or ():
        yield from _one_discussed(item, reply, options, _discussed_id(item.body))


def _one_discussed(
    item: Item, told: Mapping[str, Any], options: Source, parent: str | None
) -> Iterator[Row | Deletion]:
    context, message_id = item.context or {}, _discussed_id(told)
    if told.get("deletedAt"):
        at = instant(told["createdAt"])
        yield Deletion(
            message_id=message_id, created_at=at, deleted_at=max(at, instant(told["deletedAt"]))
        )
        return
    yield _said(
        told, options, message_id=message_id, parent_id=parent,
        thread_id=f"{DISCUSSION}{context['discussion']['number']}",
        kind="reply" if parent else "comment", channel=context.get("channel"),
        is_solution=bool(told.get("isAnswer")),
        replies=int((told.get("replies") or {}).get("totalCount") or 0),
    )  # fmt: skip
    yield from _speaker(item, told)


def _discussed_id(told: Mapping[str, Any]) -> str:
    return f"discussioncomment-{_id(told['databaseId'])}"


def _said(told: Mapping[str, Any], options: Source, **known: Any) -> Message:
    """What all that GraphQL tells has in common; an upvote is a like."""
    role = _role(told.get("author"), told["authorAssociation"], "__typename")
    reactions = sum(
        int(group["reactors"]["totalCount"])
        for group in told.get("reactionGroups") or ()
        if group["content"] not in _AGAINST
    )
    return Message(
        author_id=_author(told.get("author"), "databaseId"),
        author_role=role,
        created_at=instant(told["createdAt"]),
        edited_at=_maybe(told.get("lastEditedAt")),
        direction="outbound" if role == "staff" else "inbound",
        url=told["url"],
        lang=options.lang,
        text=_text(told["body"]),
        likes=reactions + int(told.get("upvoteCount") or 0),
        **known,
    )


def _speaker(item: Item, told: Mapping[str, Any]) -> Iterator[Member]:
    author, groups = told.get("author"), (item.context or {}).get("groups")
    if author is None or _author(author, "databaseId") is None:
        return
    role = _role(author, told["authorAssociation"], "__typename")
    link = author.get("websiteUrl")
    yield Member(
        member_id=_id(author["databaseId"]),
        handle=author["login"],
        display_name=author.get("name") or None,
        role=role,
        is_bot=role == "bot",
        joined_at=_maybe(author.get("createdAt")),
        location=author.get("location") or None,
        groups=None if groups is None else tuple(groups.get(_id(author["databaseId"]), ())),
        platform_roles=(str(told["authorAssociation"]).lower(),),
        links=(str(link),) if link else (),
    )


# ---- both -------------------------------------------------------------------------------------


def _role(author: Any, association: str, kind: str) -> Role:
    """Bots are marked; staff are who may write in the repository."""
    who = author or {}
    if who.get(kind) == "Bot" or str(who.get("login", "")).endswith("[bot]"):
        return "bot"
    return "staff" if association in STAFF else "member"


def _author(author: Any, key: str) -> str | None:
    """Whose account it is; ``None`` once that is gone (GitHub shows a ghost, or nobody)."""
    if author is None or author.get(key) is None or author.get("login") == "ghost":
        return None
    return _id(author[key])


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"no id: {str(value)[:80]!r}")
    return str(value)


def _number(url: str) -> str:
    """The number an address ends in: ``…/issues/7`` → ``7``."""
    return str(int(url.rpartition("/")[2]))


def _text(body: str | None) -> str:
    return plain_markdown(_UNSEEN.sub("", body or ""))


def _maybe(at: str | None) -> datetime | None:
    return instant(at) if at else None


_MAPPINGS: Mapping[str, Callable[[Item, Source], Iterator[Row | Deletion]]] = {
    "repository": _repository, "views": _views, "stars": _stars, "issue": _issue, "found": _found,
    "comment": _comment, "remark": _remark, "review": _review, "discussion": _discussion,
    "discussed": _discussed, "teammate": _teammate, "gone": gone_rows,
}  # fmt: skip
