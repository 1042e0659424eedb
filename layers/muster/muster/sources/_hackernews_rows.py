"""One story or comment of Hacker News, in any of three shapes, in; the lake's rows out.

Found by a search (``objectID``), as a branch of a tree (``children``), or as the site itself tells
it (``by``): the same words under other names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from muster.errors import Refused
from muster.records import Deletion, Item, Member, Message, Row, Thread
from muster.settings import Source
from muster.sources._text import plain_html, tidy

ITEM = "https://news.ycombinator.com/item?id="
_COMMENT = "comment"
_KINDS = ("story", _COMMENT, "poll")
_BOARDS = ("Show HN", "Ask HN", "Tell HN", "Launch HN")


def entry_rows(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """A story as message and thread, a comment as message, and who wrote it; or a deletion."""
    told, context = item.body, item.context or {}
    key, at = id_of(told), created_at(told)
    if told.get("deleted") or told.get("dead"):
        yield Deletion(message_id=key, created_at=at, deleted_at=max(item.seen_at, at))
        return
    if kind_of(told) not in _KINDS:
        raise Refused(f"no story and no comment: {str(kind_of(told))[:40]!r}")
    is_comment = kind_of(told) == _COMMENT
    thread = context.get("thread") or (_text_of(told["story_id"]) if is_comment else key)
    if not is_comment:
        yield _thread(told, key, at)
    author, parent = author_of(told), parent_of(told) if is_comment else None
    is_ours = context.get("by_us") or (author is not None and author == options.account)
    yield Message(
        message_id=key,
        thread_id=thread,
        parent_id=parent,
        author_id=author,
        author_role="staff" if is_ours else "member",
        created_at=at,
        kind="post" if not is_comment else "comment" if parent == thread else "reply",
        direction="outbound" if is_ours else "inbound" if context.get("to_us") else "ambient",
        channel=_board(told),
        url=f"{ITEM}{key}",
        lang=options.lang,
        text=words_of(told),
        likes=int(told.get("points") or told.get("score") or 0),
        replies=int(told.get("num_comments") or told.get("descendants") or 0),
    )
    if author:
        yield Member(member_id=author, handle=author, role="staff" if is_ours else "member")


def id_of(told: Mapping[str, Any]) -> str:
    """Its number, as text."""
    return _text_of(told["objectID"] if "objectID" in told else told["id"])


def _text_of(key: Any) -> str:
    if isinstance(key, bool) or not isinstance(key, int | str) or not str(key).isdecimal():
        raise TypeError(f"no id: {str(key)[:40]!r}")
    return str(key)


def created_at(told: Mapping[str, Any]) -> datetime:
    """When it was written."""
    seconds = told["created_at_i"] if "created_at_i" in told else told["time"]
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError("created_at_i is no number")
    return datetime.fromtimestamp(seconds, UTC)


def is_readable(told: Any) -> bool:
    """Whether it has the shape that fetching needs; if not, its mapping says why."""
    try:
        created_at(told)
        return bool(id_of(told))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        return False


def author_of(told: Mapping[str, Any]) -> str | None:
    """Who wrote it; names are never used twice and keep their case."""
    found = told.get("author") or told.get("by")
    return found if isinstance(found, str) else None


def parent_of(told: Mapping[str, Any]) -> str | None:
    """What a comment answers."""
    found = told.get("parent_id") or told.get("parent")
    return None if found is None else _text_of(found)


def kind_of(told: Mapping[str, Any]) -> Any:
    """What it is: told as such, or among a search's tags."""
    tags = told.get("_tags") or ()
    return told.get("type") or next((kind for kind in _KINDS if kind in tags), None)


def words_of(told: Mapping[str, Any]) -> str:
    """Title and text, without the lines that quote others, which begin with ``>`` by custom."""
    raw = told.get("comment_text") or told.get("story_text") or told.get("text") or ""
    said = [line for line in plain_html(raw).split("\n") if not line.startswith(">")]
    parts = (tidy(told.get("title") or ""), tidy("\n".join(said)))
    return "\n\n".join(part for part in parts if part)


def _thread(told: Mapping[str, Any], key: str, at: datetime) -> Thread:
    title = tidy(told.get("title") or "") or None
    return Thread(thread_id=key, title=title, url=f"{ITEM}{key}", channel=_board(told),
                  created_at=at)  # fmt: skip


def _board(told: Mapping[str, Any]) -> str | None:
    """Show HN, Ask HN …, by the beginning of the title; of comments not every shape tells it."""
    title = str(told.get("title") or "")
    return next((board for board in _BOARDS if title.startswith(board)), None)
