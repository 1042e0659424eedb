"""One item of Stack Exchange in; the lake's rows out."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from muster.records import Audience, Deletion, Item, Member, Message, Role, Row, Thread
from muster.settings import Source
from muster.sources._downward import gone_rows
from muster.sources._text import plain_html, tidy

_LOST = "does_not_exist"


def rows_of(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """The rows of one item; stumbles over a shape it does not know."""
    return _MAPPINGS[item.stream](item, options)


def _site(item: Item, options: Source) -> Iterator[Row]:
    """How many accounts a site of one's own has."""
    yield Audience(
        account=str(options.account),
        metric="members",
        measured_on=item.seen_at.astimezone(UTC).date(),
        value=int(item.body["total_users"]),
    )


def _question(item: Item, options: Source) -> Iterator[Row]:
    told, context = item.body, item.context or {}
    number = _id(told["question_id"])
    yield _message(
        item, options, message_id=number, thread_id=number, kind="post",
        tags=tuple(told.get("tags") or ()), url=told["link"],
        replies=int(told.get("answer_count") or 0), views=told.get("view_count"),
    )  # fmt: skip
    yield Thread(
        thread_id=number,
        title=tidy(html.unescape(told["title"])),
        url=told["link"],
        tags=tuple(told.get("tags") or ()),
        created_at=at(told["creation_date"]),
        closed_at=_maybe(told.get("closed_date")),
        solved_by=context.get("solved_by"),
        views=told.get("view_count"),
    )
    yield from _owner(item)


def _answer(item: Item, options: Source) -> Iterator[Row]:
    told, context = item.body, item.context or {}
    number, question = _id(told["answer_id"]), _id(told["question_id"])
    yield _message(
        item, options, message_id=number, thread_id=question, parent_id=question, kind="reply",
        url=f"{context['home']}/a/{number}", is_solution=bool(told.get("is_accepted")),
    )  # fmt: skip
    yield from _owner(item)


def _comment(item: Item, options: Source) -> Iterator[Row]:
    told, context = item.body, item.context or {}
    number, post = _id(told["comment_id"]), _id(told["post_id"])
    yield _message(
        item, options, message_id=f"c{number}", thread_id=context["question"], parent_id=post,
        kind="comment", url=f"{context['home']}/posts/comments/{number}",
    )  # fmt: skip
    yield from _owner(item)


def _message(item: Item, options: Source, **known: Any) -> Message:
    """What questions, answers and comments have in common."""
    told, owner = item.body, item.body.get("owner")
    role = _role(owner)
    return Message(
        author_id=author(told),
        author_role=role,
        created_at=at(told["creation_date"]),
        edited_at=_maybe(told.get("last_edit_date")),
        direction=_direction(role, _is_ambient(item, options)),
        lang=options.lang,
        text=plain_html(told["body"]) if told.get("body") else None,
        likes=max(int(told.get("score") or 0), 0),
        **known,
    )


def _is_ambient(item: Item, options: Source) -> bool:
    if item.stream == "question":
        return is_found(options, item.body)
    return bool((item.context or {}).get("is_found"))


def is_found(options: Any, question: Mapping[str, Any]) -> bool:
    """Whether a question is none of ours: only a search term led to it."""
    return bool(options.tags) and not _ours(options) & set(question.get("tags") or ())


def _ours(options: Any) -> set[str]:
    """Our tags, one by one: ``a;b`` asks for questions that have both."""
    return {one for tag in options.tags for one in tag.split(";")}


def _direction(role: Role, is_found: bool) -> Literal["inbound", "ambient", "outbound"]:
    """Who answers for us speaks for us; what only a search found is said to others."""
    if role == "staff":
        return "outbound"
    return "ambient" if is_found else "inbound"


def _owner(item: Item) -> Iterator[Member]:
    """Who wrote it, as the post tells; nobody once the account is gone."""
    if author(item.body) is not None:
        yield _member(item.body["owner"])


def _user(item: Item, options: Source) -> Iterator[Member]:
    yield _member(item.body)


def _member(told: Mapping[str, Any]) -> Member:
    link = told.get("website_url")
    return Member(
        member_id=_id(told["user_id"]),
        handle=html.unescape(told["display_name"]),
        display_name=html.unescape(told["display_name"]),
        role=_role(told),
        joined_at=_maybe(told.get("creation_date")),
        last_seen_at=_maybe(told.get("last_access_date")),
        location=html.unescape(told["location"]) if told.get("location") else None,
        links=(str(link),) if link else None,
        platform_roles=_platform_roles(told),
    )


def _platform_roles(told: Mapping[str, Any]) -> tuple[str, ...]:
    employed = ("employee",) if told.get("is_employee") else ()
    return (*((told["user_type"],) if told.get("user_type") else ()), *employed)


def _role(owner: Any) -> Role:
    """Moderators and the network's own people are marked; whose staff they are the settings say."""
    told = owner or {}
    return "staff" if told.get("user_type") == "moderator" or told.get("is_employee") else "member"


def author(told: Mapping[str, Any]) -> str | None:
    """Whose account it is; ``None`` once that is gone."""
    owner = told.get("owner") or {}
    if owner.get("user_type") == _LOST or owner.get("user_id") is None:
        return None
    return _id(owner["user_id"])


def home_of(question: Mapping[str, Any]) -> str:
    """The site's address, as a question's link tells it."""
    parts = urlsplit(question["link"])
    return f"{parts.scheme}://{parts.netloc}"


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"no id: {str(value)[:80]!r}")
    return str(value)


def at(seconds: Any) -> datetime:
    """A Unix time as UTC."""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise TypeError(f"no time: {str(seconds)[:80]!r}")
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: Any) -> datetime | None:
    return None if seconds is None else at(seconds)


_MAPPINGS: Mapping[str, Callable[[Item, Source], Iterator[Row | Deletion]]] = {
    "site": _site, "question": _question, "answer": _answer, "comment": _comment, "user": _user,
    "gone": gone_rows,
}  # fmt: skip
