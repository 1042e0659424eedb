"""One ticket, comment, user or rating as Zendesk sent it in; the lake's rows out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from muster.errors import Refused
from muster.records import Deletion, Item, Member, Message, Role, Row, SurveyResponse, Thread
from muster.settings import Source
from muster.sources._mail import own_words
from muster.sources._newest import instant
from muster.sources._text import plain_html, plain_markdown, tidy

_STAFF = ("admin", "agent")
_OVER = ("solved", "closed")
_AUTOMATIC = ("rule", "system")  # a trigger or automation; a merge
_SYSTEM = -1  # the account that stands for Zendesk itself
_LIKED = {"good": 1.0, "good_with_comment": 1.0, "bad": 0.0, "bad_with_comment": 0.0}


def user_rows(item: Item, options: Source) -> Iterator[Row]:
    """A customer or a colleague; somebody who was deleted for good is only a number."""
    user = item.body
    is_there = user.get("active") is not False
    yield Member(
        member_id=_id(user["id"]),
        display_name=(user.get("name") or None) if is_there else None,
        role=_role(user.get("role"), user["id"]),
        joined_at=_time(user.get("created_at")),
        last_seen_at=_time(user.get("last_login_at")),
        lang=user.get("locale") or None,
    )


def ticket_rows(item: Item, options: Source) -> Iterator[Row]:
    """A ticket as a thread; the title of a deleted one is nobody's any more."""
    ticket, context = item.body, item.context or {}
    is_there = ticket["status"] != "deleted"
    yield Thread(
        thread_id=_id(ticket["id"]),
        title=tidy(ticket.get("subject") or "") or None if is_there else None,
        url=_url(context, ticket["id"]),
        channel=(ticket.get("via") or {}).get("channel"),
        tags=tuple(ticket.get("tags") or ()),
        created_at=instant(ticket["created_at"]),
        closed_at=_closed_at(ticket, context),
        priority=ticket.get("priority"),
    )


def _closed_at(ticket: Mapping[str, Any], context: Mapping[str, Any]) -> datetime | None:
    """When it was last solved, as long as nobody opened it again."""
    if ticket["status"] not in _OVER:
        return None
    return _time(context.get("solved_at") or ticket.get("updated_at"))


def comment_rows(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """A public comment as a message; an internal note, or what became one, as none."""
    comment, context = item.body, item.context or {}
    created = instant(comment["created_at"])
    if comment["public"] is not True:
        yield Deletion(
            message_id=_id(comment["id"]), created_at=created, deleted_at=max(item.seen_at, created)
        )
        return
    role = _comment_role(comment, context)
    yield Message(
        message_id=_id(comment["id"]),
        thread_id=_id(context["ticket"]),
        parent_id=context.get("before"),
        author_id=_author(comment),
        author_role=role,
        created_at=created,
        kind="reply" if context.get("before") else "post",
        direction="inbound" if role == "member" else "outbound",
        url=_url(context, context["ticket"]),
        lang=options.lang,
        text=_text(comment),
    )


def _author(comment: Mapping[str, Any]) -> str | None:
    author = comment.get("author_id")
    return None if author is None or author == _SYSTEM else _id(author)


def _comment_role(comment: Mapping[str, Any], context: Mapping[str, Any]) -> Role:
    if (comment.get("via") or {}).get("channel") in _AUTOMATIC:
        return "bot"
    return _role(context.get("role"), comment.get("author_id"))


def _role(told: Any, user: Any) -> Role:
    if user == _SYSTEM:
        return "bot"
    return "staff" if told in _STAFF else "member"


def _text(comment: Mapping[str, Any]) -> str:
    """What was written, from HTML where there is some: it marks what it quotes."""
    if markup := comment.get("html_body"):
        return own_words(plain_html(markup))
    return own_words(plain_markdown(comment.get("plain_body") or comment.get("body") or ""))


def gone_rows(item: Item, options: Source) -> Iterator[Deletion]:
    """A comment whose ticket was deleted."""
    told = item.context or {}
    created = instant(told["created_at"])
    yield Deletion(
        message_id=told["message_id"], created_at=created, deleted_at=max(item.seen_at, created)
    )


def rating_rows(item: Item, options: Source) -> Iterator[Row]:
    """Good is 1 of 1, bad 0 of 1; a survey that was only offered is no answer."""
    rating = item.body
    if rating["score"] in ("offered", "unoffered"):
        return
    if rating["score"] not in _LIKED:
        raise Refused(f"score is {str(rating['score'])[:40]!r}, but must be good or bad")
    yield SurveyResponse(
        response_id=_id(rating["id"]),
        survey="csat",
        score=_LIKED[rating["score"]],
        score_max=1.0,
        respondent_id=_optional_id(rating.get("requester_id")),
        thread_id=_optional_id(rating.get("ticket_id")),
        comment=tidy(rating.get("comment") or "") or None,
        created_at=instant(rating["created_at"]),
    )


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{str(value)[:40]!r} is no id")
    return str(value)


def _optional_id(value: Any) -> str | None:
    return None if value is None else _id(value)


def _time(text: str | None) -> datetime | None:
    return instant(text) if text else None


def _url(context: Mapping[str, Any], ticket: Any) -> str | None:
    site = context.get("site")
    return f"{site}/agent/tickets/{_id(ticket)}" if site else None
