"""One item of a Discourse forum in; its rows out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from muster.errors import Refused
from muster.records import Audience, Deletion, Item, Member, Message, Role, Row, Thread
from muster.settings import Source
from muster.sources._text import plain_html, plain_markdown, tidy

REGULAR = 1  # 2 and 3 are the forum's own notes, 4 is whispered among staff
LIKE = 2


def rows(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """The rows of one item; ``Refused``, ``ValueError``, ``KeyError`` or ``TypeError`` if none."""
    if item.stream not in _MAPPINGS:
        raise Refused(f"a forum has no stream {item.stream!r}")
    if not isinstance(item.body, dict):
        raise Refused(f"no {item.stream}: {str(item.body)[:80]!r}")
    return _MAPPINGS[item.stream](item, options)


def _post(item: Item, options: Source) -> Iterator[Row | Deletion]:
    post, context = item.body, item.context or {}
    if post["post_type"] != REGULAR or post.get("hidden"):
        return
    created_at = _at(post["created_at"])
    if post.get("deleted_at") or post.get("user_deleted"):
        changed_at = _maybe_at(post.get("updated_at"))
        deleted_at = _maybe_at(post.get("deleted_at")) or changed_at or item.seen_at
        yield Deletion(message_id=_id(post["id"]), created_at=created_at, deleted_at=deleted_at)
        return
    role, author_id, topic = _role(post, "user_id"), author(post), _id(post["topic_id"])
    yield Message(
        message_id=_id(post["id"]),
        thread_id=topic,
        parent_id=context.get("parent_id"),
        author_id=author_id,
        author_role=role,
        created_at=created_at,
        edited_at=_maybe_at(post.get("updated_at")) if post.get("version", 1) > 1 else None,
        kind="post" if post["post_number"] == 1 else "reply",
        direction="outbound" if role == "staff" else "inbound",
        channel=context.get("channel"),
        url=f"{_home(options)}/t/{topic}/{_id(post['post_number'])}",
        lang=options.lang,
        text=_text(post),
        is_solution=bool(post.get("accepted_answer")),
        likes=_likes(post),
        replies=int(post.get("reply_count") or 0),
        views=post.get("reads"),
    )
    if author_id is not None:
        yield _account(item, "user_id", role)


def _text(post: Mapping[str, Any]) -> str | None:
    """From the HTML, which every address gives: Markdown, given by some only, would flicker."""
    if isinstance(post.get("cooked"), str):
        return plain_html(post["cooked"])
    return plain_markdown(post["raw"]) if isinstance(post.get("raw"), str) else None


def _likes(post: Mapping[str, Any]) -> int:
    """Likes; on a forum with reactions all of them, of which the summary counts one kind only."""
    likes = _count([one for one in post.get("actions_summary") or () if one.get("id") == LIKE])
    return max(likes, _count(post["reactions"])) if post.get("reactions") else likes


def _count(actions: Iterable[Mapping[str, Any]]) -> int:
    return sum([int(one.get("count") or 0) for one in actions])


def _topic(item: Item, options: Source) -> Iterator[Row | Deletion]:
    topic, context = item.body, item.context or {}
    if topic.get("archetype", "regular") != "regular":
        return
    created_at = _at(topic["created_at"])
    is_closed = topic.get("closed") or topic.get("archived")
    yield Thread(
        thread_id=_id(topic["id"]),
        title=_words(topic["title"]),
        url=f"{_home(options)}/t/{topic.get('slug') or '-'}/{_id(topic['id'])}",
        channel=context.get("channel"),
        tags=_tags(topic.get("tags") or ()),
        created_at=created_at,
        closed_at=(_maybe_at(topic.get("last_posted_at")) or created_at) if is_closed else None,
        solved_by=context.get("solved_by"),
        views=topic.get("views"),
    )


def _tags(tags: Any) -> tuple[str, ...]:
    """Names; newer forums send objects."""
    names = (tag.get("name") if isinstance(tag, dict) else tag for tag in tags)
    return tuple(words for name in names if (words := _words(name)))


def _words(value: Any) -> str | None:
    return tidy(value) or None if isinstance(value, str) else None


def _user(item: Item, options: Source) -> Iterator[Row | Deletion]:
    yield _account(item, "id", _role(item.body, "id"), is_listed=True)


def _account(item: Item, key: str, role: Role, is_listed: bool = False) -> Member:
    """A member by a post or by the list; a staged one (from e-mail) never joined."""
    body, groups = item.body, (item.context or {}).get("groups")
    is_joined = is_listed and not body.get("staged")
    handle = _name(body, "username")
    # Nearly every post is of an account that has written before; a list names each only once.
    made = _made if is_listed else _made_before
    return made(
        _id(body[key]),
        handle,
        _name(body, "name"),
        # A forum shows the handle if no name is given: so a name that is taken back is gone.
        handle if "name" in body else None,
        role,
        _at(body["created_at"]) if is_joined else None,
        _maybe_at(body.get("last_seen_at")) if is_joined else None,
        None if groups is None else tuple(groups),
        _platform_roles(body),
    )


def _name(body: Mapping[str, Any], key: str) -> str | None:
    return found if isinstance(found := body.get(key), str) else None


def _made(
    member_id: str,
    handle: str | None,
    name: str | None,
    shown_else: str | None,
    role: Role,
    joined_at: datetime | None,
    last_seen_at: datetime | None,
    groups: tuple[str, ...] | None,
    platform_roles: tuple[str, ...] | None,
) -> Member:
    return Member(
        member_id=member_id,
        handle=_words(handle),
        display_name=_words(name) or _words(shown_else),
        role=role,
        is_bot=role == "bot",
        joined_at=joined_at,
        last_seen_at=last_seen_at,
        groups=groups,
        platform_roles=platform_roles,
    )


_made_before = lru_cache(30_000)(_made)


def _platform_roles(body: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What the forum calls the account: admin, moderator; nothing known where it does not say."""
    if "admin" not in body and "moderator" not in body:
        return None
    return tuple([flag for flag in ("admin", "moderator") if body.get(flag)])


def _about(item: Item, options: Source) -> Iterator[Row | Deletion]:
    yield Audience(
        account=account_of(options),
        metric="members",
        measured_on=item.seen_at.astimezone(UTC).date(),
        value=member_count(item.body),
    )


def member_count(about: Any) -> int:
    """How many members the forum says it has, as new or old versions say it."""
    stats = about["about"]["stats"]
    return int(stats["users_count"] if "users_count" in stats else stats["user_count"])


def account_of(options: Source) -> str:
    """Whose members are counted: as the settings name it, else the forum's host."""
    return options.account or urlsplit(_home(options)).netloc


def _deletion(item: Item, options: Source) -> Iterator[Row | Deletion]:
    if item.context is None:
        raise Refused("nobody told when the missing post was written")
    yield Deletion(
        message_id=item.body["missing"],
        created_at=_at(item.context["created_at"]),
        deleted_at=item.seen_at,
    )


_MAPPINGS: Mapping[str, Callable[[Item, Source], Iterator[Row | Deletion]]] = {
    "post": _post, "topic": _topic, "user": _user, "about": _about, "deletion": _deletion,
}  # fmt: skip


def author(post: Mapping[str, Any]) -> str | None:
    """Who wrote it; ``None`` once the account is gone."""
    found = post.get("user_id")
    return str(found) if isinstance(found, int) else None


def _role(body: Mapping[str, Any], key: str) -> Role:
    if isinstance(body.get(key), int) and body[key] < 0:
        return "bot"
    is_staff = body.get("staff") or body.get("moderator") or body.get("admin")
    return "staff" if is_staff else "member"


def _home(options: Source) -> str:
    return (options.base_url or "").rstrip("/")


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"no id: {str(value)[:80]!r}")
    return str(value)


def _at(value: Any) -> datetime:
    if not isinstance(value, str):
        raise Refused(f"no time: {str(value)[:80]!r}")
    at = datetime.fromisoformat(value)
    if at.tzinfo is UTC:
        return at
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _maybe_at(value: Any) -> datetime | None:
    return None if value is None else _at(value)
