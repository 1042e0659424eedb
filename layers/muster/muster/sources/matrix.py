"""Matrix: messages of the rooms that our account is in, their threads, edits, members and number.

Credentials: the access token of an account of your own on ``base_url``, joined to the rooms. Make
an account for Muster, invite it, and take its token in Element under All settings → Help & About;
do not sign it out there, or the token ends.

Limits: those of the home server: its 429 says how long to wait. What was written before the
account may see it (``history_visibility``) stays unseen, and what is encrypted is counted without
its text.

Verified: against a real Synapse server (``make test-matrix``): writing, edits, deletions, threads,
reactions and its genuine 429s; and its recorded answers.

Each room is read newest first, down to six hours before the newest message stored: other servers
may deliver late. An edit or a deletion is an event of its own: the message it is of is asked for
anew. Reactions are counted when a message is 1, 3, 7 or 30 days old. A message's id is its room's
and its own. Staff are who may moderate a room (``staff_power``); who writes notices is a bot. The
lines of a room that neither reply nor stand in a thread are joined by author, time and mention
(``chat``).

Unverified: rooms of other servers than Synapse; stickers; polls are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field

from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import BaseUrl, EpisodeGap, Source
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait
from muster.sources._downward import done_today, downward, gone, is_due_today, is_within
from muster.sources._http import Api, Http
from muster.sources._matrix_rows import SPOKEN, at, rows_of
from muster.sources._newest import Place, State, begin, finish, follow, mapped, page, recheck, stamp
from muster.sources._paging import walk
from muster.sources._tokens import hidden

OVERLAP = timedelta(hours=6)
PER_PAGE = 100
V1, V3 = "/_matrix/client/v1", "/_matrix/client/v3"
FILTER = json.dumps({"types": [*SPOKEN, "m.room.redaction", "m.room.member"]})


class Options(Source):
    """What Matrix needs beyond what every source has."""

    platform: Literal["matrix"]
    episode_gap: EpisodeGap = timedelta(hours=24)
    base_url: Annotated[
        BaseUrl, Field(description="the home server's address: https://matrix.example.org")
    ]
    rooms: Annotated[
        tuple[str, ...], Field(description="ids or aliases; absent: all that the account is in")
    ] = ()
    staff_power: Annotated[int, Field(description="power level from which a member is staff")] = 50
    chat: Annotated[
        bool, Field(description="its lines tell no thread: they are joined to conversations")
    ] = True


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    if not secret:
        raise SourceFailed(
            f"{options.name}: Matrix needs an access token: set token: env:NAME for this source"
        )
    signature = {"Authorization": f"Bearer {secret}"}
    return Api(
        http, options.base_url, signature, name=options.name, wait_of=_wait, secrets=hidden(secret)
    )


def _wait(answer: Answer) -> float | None:
    """A 429 tells in its body more exactly than in its header how long."""
    told = answer.body.get("retry_after_ms") if isinstance(answer.body, Mapping) else None
    if answer.status == 429 and isinstance(told, int | float):
        return told / 1000
    return asked_wait(answer)


def check(api: Api, options: Options) -> str:
    """Whose token it is, and which rooms it reads."""
    who = api.get(f"{V3}/account/whoami").body["user_id"]
    rooms = _rooms(api, options)
    if not rooms:
        raise SourceFailed(f"{options.name}: {who} is in no room: invite it, and let it join")
    return f"reads Matrix as {who}: {len(rooms)} room{'s' * (len(rooms) > 1)}"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account is found."""
    return (f"https://matrix.to/#/{member_id}",)


# ---- reading: what is new ----------------------------------------------------------------------


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Each room's members once a day and its new events, then messages that came of age."""
    state = begin(window)
    rooms = _rooms(api, window.options)
    if is_due_today(state, window, "people"):
        yield from _people(api, window, state, rooms)
    for room in rooms:
        yield from _events(api, window, state, _known_room(state, room))
    for batch in recheck(state, window, 50):
        yield page(state, list(_again(api, window, state, rooms, batch)))
    yield finish(state)


def _rooms(api: Api, options: Options) -> list[str]:
    """The ids of the rooms to read; one that is named must have been joined."""
    joined = [one for one in api.get(f"{V3}/joined_rooms").body["joined_rooms"] if one]
    if not options.rooms:
        return sorted(joined)
    wanted = [_resolved(api, options, name) for name in options.rooms]
    if missing := [name for name, one in zip(options.rooms, wanted, strict=True)
                   if one not in joined]:  # fmt: skip
        raise SourceFailed(
            f"{options.name}: Muster's account is not in {', '.join(missing)}: invite it, and let "
            "it join"
        )
    return wanted


def _resolved(api: Api, options: Options, name: str) -> str:
    if not name.startswith("#"):
        return name
    try:
        return str(api.get(f"{V3}/directory/room/{quote(name, safe='')}").body["room_id"])
    except Rejected as refused:
        if not refused.is_gone:
            raise
        raise SourceFailed(f"{options.name}: there is no room {name}: check rooms") from refused


def _known_room(state: State, room: str) -> dict[str, Any]:
    """A room by its id, with its name and staff as last told."""
    return {"id": room, **state.get("rooms", {}).get(room, {})}


def _people(api: Api, window: Window, state: State, rooms: Sequence[str]) -> Iterator[Page]:
    """Everybody in the rooms, how many in each and in all; names and moderators are remembered."""
    everybody: set[str] = set()
    told = {}
    for room in rooms:
        answer = api.get(f"{V3}/rooms/{quote(room, safe='')}/state")
        events = [one for one in answer.body if _is_event(one)]
        name, staff = _name(events) or room, _staff(events, window.options.staff_power)
        told[room] = {"name": name, "staff": staff}
        members = [one for one in events if _is_joined(one)]
        everybody |= {one["state_key"] for one in members}
        items = [Item("member", one, answer.seen_at, {"staff": staff}) for one in members]
        size = {"account": _account(window), "joined": len(members)}
        items.append(Item("size", size, answer.seen_at, {"name": name}))
        state["rooms"] = {**state.get("rooms", {}), **told}
        yield page(state, items)
    state["rooms"] = told
    done_today(state, window, "people")
    size = {"account": _account(window), "joined": len(everybody)}
    yield page(state, [Item("size", size, window.now, {})] if rooms else [])


def _account(window: Window) -> str:
    return window.options.account or urlsplit(window.options.base_url).netloc


def _is_event(told: Any) -> bool:
    return (isinstance(told, Mapping) and isinstance(told.get("type"), str)
            and isinstance(told.get("content"), Mapping))  # fmt: skip


def _is_joined(event: Mapping[str, Any]) -> bool:
    is_member = event["type"] == "m.room.member" and isinstance(event.get("state_key"), str)
    return is_member and event["content"].get("membership") == "join"


def _content(events: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    found = (one["content"] for one in events if one["type"] == kind)
    return next(found, {})


def _name(events: Sequence[Mapping[str, Any]]) -> str | None:
    name = _content(events, "m.room.name").get("name")
    return name or _content(events, "m.room.canonical_alias").get("alias")


def _staff(events: Sequence[Mapping[str, Any]], power: int) -> list[str]:
    """Who may moderate: by the power levels, and the creators, who stand above them."""
    levels = _content(events, "m.room.power_levels").get("users") or {}
    found = {who for who, level in levels.items() if _number(level) >= power}
    for one in events:
        if one["type"] == "m.room.create":
            more = one["content"].get("additional_creators") or ()
            found |= {str(one.get("sender")), *(who for who in more if isinstance(who, str))}
    return sorted(found)


def _number(level: Any) -> int:
    return level if isinstance(level, int) else 0


def _events(api: Api, window: Window, state: State, room: Mapping[str, Any]) -> Iterator[Page]:
    """What was said in a room, newest first; what was changed in it is asked for anew."""
    path = f"{V3}/rooms/{quote(room['id'], safe='')}"

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        told = {"dir": "b", "limit": PER_PAGE, "from": token, "filter": FILTER}
        return api.get(f"{path}/messages", told)

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        return answer.body.get("chunk") or (), answer.body.get("end")

    def place(event: Any) -> Place:
        return [stamp(at(event)), event["event_id"]]

    stream = downward(f"room:{room['id']}", ask, read, place, window, OVERLAP)
    for step in follow(state, stream, window):
        here = {one["event_id"] for one in step.items if isinstance(one, Mapping)
                and isinstance(one.get("event_id"), str)}  # fmt: skip
        inside = [one for one in step.items if is_within(window, at, one)]
        items = [Item("event", one, step.answer.seen_at, {"room": room}) for one in inside]
        changed = {target for one in inside if (target := _changed(one))} - here
        items += [item for one in sorted(changed) for item in _told(api, room, one)]
        yield page(state, items)


def _told(api: Api, room: Mapping[str, Any], event: str) -> list[Item]:
    """An event as it is now; none that is not told to us."""
    try:
        return [_looked_up(api, room, event)]
    except Rejected as refused:
        if refused.status not in (403, 404):
            raise
        return []


def _changed(event: Any) -> str | None:
    """The event that an edit or a deletion is of; rooms of older versions tell it elsewhere."""
    if not _is_event(event):
        return None
    relation = event["content"].get("m.relates_to")
    if isinstance(relation, Mapping) and relation.get("rel_type") == "m.replace":
        found = relation.get("event_id")
    elif event["type"] == "m.room.redaction":
        found = event["content"].get("redacts") or event.get("redacts")
    else:
        return None
    return found if isinstance(found, str) else None


def _looked_up(api: Api, room: Mapping[str, Any], event: str) -> Item:
    """An event as it is now, with how many reactions it has; ``Rejected`` if it is not told."""
    where, what = f"rooms/{quote(room['id'], safe='')}", quote(event, safe="")
    answer = api.get(f"{V3}/{where}/event/{what}")
    reactions = _reactions(api, f"{V1}/{where}/relations/{what}/m.annotation/m.reaction")
    return Item("event", answer.body, answer.seen_at, {"room": room, "reactions": reactions})


def _reactions(api: Api, path: str) -> int:
    """How many reactions a message has."""

    def ask(token: str | None) -> Answer:
        return api.get(path, {"limit": PER_PAGE, "from": token})

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        return answer.body.get("chunk") or (), answer.body.get("next_batch")

    return sum(len(step.items) for step in walk(ask, read))


def _again(
    api: Api, window: Window, state: State, rooms: Sequence[str], batch: Sequence[KnownMessage]
) -> Iterator[Item]:
    """Messages as they are now, with their reactions; those that the server knows no more."""
    for known in batch:
        place, _, event = known.message_id.rpartition("/")
        if place not in rooms:
            continue  # no longer ours to read: that is no deletion
        try:
            yield _looked_up(api, _known_room(state, place), event)
        except Rejected as refused:
            if refused.status not in (403, 404):
                raise
            if refused.is_gone:
                yield gone(known, window.now)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The rows an item stands for."""
    yield from mapped(lambda: rows_of(item, options))
