"""One event of a Matrix room in; the lake's rows out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from muster.records import Audience, Deletion, Item, Member, Message, Role, Row
from muster.settings import Source
from muster.sources._downward import gone_rows
from muster.sources._text import plain_markdown

SPOKEN = ("m.room.message", "m.room.encrypted", "m.sticker")
NOT_SPOKEN = ("m.key.verification.request",)


def rows_of(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """The rows of one item; stumbles over a shape it does not know."""
    return _MAPPINGS[item.stream](item, options)


def _event(item: Item, options: Source) -> Iterator[Row | Deletion]:
    """A message, or who joined; an edit is told by the message that it changes."""
    event, room = item.body, (item.context or {})["room"]
    if event["type"] == "m.room.member":
        yield from _moved(event)
    if event["type"] not in SPOKEN:
        return
    content, written = event["content"], at(event)
    message_id = id_of(room["id"], event["event_id"])
    if removed := _redacted_at(event, item.seen_at):
        yield Deletion(message_id=message_id, created_at=written, deleted_at=max(written, removed))
        return
    relation = content.get("m.relates_to") or {}
    if relation.get("rel_type") == "m.replace" or content.get("msgtype") in NOT_SPOKEN:
        return
    newest = _newest(event)
    content = (newest or event)["content"].get("m.new_content") or content
    root, parent = _above(relation)
    role = _role(event, content, room)
    yield Message(
        message_id=message_id,
        thread_id=id_of(room["id"], root or parent) if root or parent else message_id,
        parent_id=id_of(room["id"], parent) if parent else None,
        author_id=_string(event["sender"]),
        author_role=role,
        created_at=written,
        edited_at=at(newest) if newest else None,
        kind="reply" if parent else "post",
        direction="outbound" if role == "staff" else "inbound",
        channel=room.get("name"),
        url=f"https://matrix.to/#/{quote(room['id'])}/{quote(event['event_id'])}",
        lang=options.lang,
        text=_text(event, content),
        likes=int((item.context or {}).get("reactions") or 0),
    )


def id_of(room: str, event: Any) -> str:
    """A message's id: an event can only be asked for in its room."""
    return f"{room}/{_string(event)}"


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no id: {str(value)[:80]!r}")
    return value


def at(event: Mapping[str, Any]) -> datetime:
    """When its server says it was sent."""
    return datetime.fromtimestamp(int(event["origin_server_ts"]) / 1000, UTC)


def _redacted_at(event: Mapping[str, Any], seen_at: datetime) -> datetime | None:
    """When this event's content was taken away."""
    unsigned = event.get("unsigned") or {}
    because = unsigned.get("redacted_because")
    if because:
        return at(because)
    return seen_at if unsigned.get("redacted_by") else None


def _newest(event: Mapping[str, Any]) -> Any:
    """The latest edit, where the server tells of it beside the message."""
    return ((event.get("unsigned") or {}).get("m.relations") or {}).get("m.replace")


def _above(relation: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The thread's root and the message that is answered.

    A thread's lines also name the line before them, for clients that know no threads.
    """
    answered = (relation.get("m.in_reply_to") or {}).get("event_id")
    if relation.get("rel_type") != "m.thread":
        return None, answered
    root = relation["event_id"]
    return root, root if relation.get("is_falling_back") or not answered else answered


def _role(event: Mapping[str, Any], content: Mapping[str, Any], room: Mapping[str, Any]) -> Role:
    """Moderators of the room are staff; a notice is what bots say."""
    if content.get("msgtype") == "m.notice":
        return "bot"
    return "staff" if event["sender"] in (room.get("staff") or ()) else "member"


def _text(event: Mapping[str, Any], content: Mapping[str, Any]) -> str | None:
    """The plain body without the quote of what it answers; none where it is encrypted."""
    if event["type"] == "m.room.encrypted":
        return None
    return plain_markdown(content["body"])


def _moved(event: Mapping[str, Any]) -> Iterator[Member]:
    """Somebody who joined, or changed their name."""
    content = event["content"]
    if content.get("membership") != "join":
        return
    unsigned = event.get("unsigned") or {}
    before = unsigned.get("prev_content") or event.get("prev_content") or {}
    is_new = before.get("membership") != "join" and not unsigned.get("replaces_state")
    who = _string(event["state_key"])
    yield Member(
        member_id=who,
        handle=who.removeprefix("@"),
        display_name=content.get("displayname") or None,
        joined_at=at(event) if is_new else None,
    )


def _member(item: Item, options: Source) -> Iterator[Member]:
    """Somebody who is in a room, as the room's state tells."""
    staff = (item.context or {})["staff"]
    for row in _moved(item.body):
        yield Member(
            member_id=row.member_id,
            handle=row.handle,
            display_name=row.display_name,
            role="staff" if row.member_id in staff else "member",
            joined_at=row.joined_at,
        )


def _size(item: Item, options: Source) -> Iterator[Audience]:
    """How many are in a room; how many are in any of them."""
    told, name = item.body, (item.context or {}).get("name")
    yield Audience(
        account=_string(told["account"]),
        metric="members",
        segment=f"room={name}" if name else "all",
        measured_on=item.seen_at.astimezone(UTC).date(),
        value=int(told["joined"]),
    )


_MAPPINGS: Mapping[str, Callable[[Item, Source], Iterator[Row | Deletion]]] = {
    "event": _event, "member": _member, "size": _size, "gone": gone_rows,
}  # fmt: skip
