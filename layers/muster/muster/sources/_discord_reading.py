"""A Discord server and a window in; its messages and threads, new ones and those of age, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from muster.clock import DAY
from muster.errors import Rejected
from muster.records import Item, KnownMessage, Page
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._discord_rows import FORUMS, author, snowflake
from muster.sources._downward import done_today, gone, is_due_today, is_within
from muster.sources._http import Api
from muster.sources._newest import OPEN, State, given, instant, page, stamp, start_of
from muster.sources._paging import Step, walk

PER_PAGE = 100
HAVE_THREADS = (0, 5, *FORUMS)
FORGET = 90 * DAY  # after which the place of a thread no longer listed is forgotten
ARCHIVED_OVERLAP = DAY


@dataclass
class Server:
    """What the mapping needs to know of the server during one fetch."""

    api: Api
    window: Window
    guild: Mapping[str, Any]
    staff: frozenset[str] = frozenset()
    channels: dict[str, Any] = field(default_factory=dict)
    threads: dict[str, Any] = field(default_factory=dict)

    @property
    def roles(self) -> dict[str, Any]:
        found = self.guild.get("roles") or ()
        return {one["id"]: one for one in found if has_id(one)}

    def item(self, channel: Any, told: Any, seen_at: datetime) -> Item:
        """A message with its channel, and the names it mentions."""
        is_object = isinstance(told, Mapping)
        context = {**self.above(channel), "channel": channel, "names": self._names(told)}
        who = author(told) if is_object and isinstance(told.get("author"), Mapping) else None
        return Item("message", told, seen_at, {**context, "is_staff": who in self.staff})

    def above(self, channel: Any) -> dict[str, Any]:
        """The channel a thread stands in, and the names of the tags it has."""
        if "thread_metadata" not in channel:
            return {}
        parent = self.channels.get(str(channel.get("parent_id"))) or {}
        tags = {one["id"]: one["name"] for one in parent.get("available_tags") or ()}
        named = [tags[one] for one in channel.get("applied_tags") or () if one in tags]
        return {"parent": {key: parent.get(key) for key in ("id", "name", "type")}, "tags": named}

    def _names(self, told: Any) -> dict[str, str]:
        text = told.get("content") if isinstance(told, Mapping) else None
        if not isinstance(text, str) or "<" not in text:
            return {}
        known = {**self.channels, **self.roles}
        return {key: one["name"] for key, one in known.items() if key in text and one.get("name")}


def has_id(told: Any) -> bool:
    """Whether a record has an id that can be asked for."""
    id_ = told.get("id") if isinstance(told, Mapping) else None
    return isinstance(id_, str) and id_.isdecimal()


def is_read(there: Server, channel: Mapping[str, Any]) -> bool:
    """Whether the settings want a channel."""
    wanted = {one.lstrip("#") for one in there.window.options.channels}
    return not wanted or bool(wanted & {channel["id"], channel.get("name")})


def lines(there: Server, state: State, channel: Mapping[str, Any]) -> Iterator[Page]:
    """What a channel or thread holds above the last message stored, oldest first."""
    places = state.setdefault("channels", {})
    start, newest = _start(there.window, places.get(channel["id"])), channel.get("last_message_id")
    if not newest or int(newest) <= int(start) or not _may_read(there, state, channel):
        return

    try:
        for step in _above(there, channel, start, int(newest)):
            last = max((int(one["id"]) for one in step.items if has_id(one)), default=0)
            places[channel["id"]] = str(max(last, int(places.get(channel["id"], 0))))
            inside = (one for one in step.items if is_within(there.window, _written, one))
            items = [there.item(channel, one, step.answer.seen_at) for one in inside]
            yield page(state, items)
    except Rejected as refused:
        if refused.status not in (403, 404):
            raise
        state.setdefault("refused", {})[channel["id"]] = _day(there.window)


def _above(
    there: Server, channel: Mapping[str, Any], start: str, newest: int
) -> Iterator[Step[str]]:
    """The messages of a channel above an id up to another, oldest first."""
    until = int(snowflake(there.window.until)) if there.window.until else newest

    def ask(token: str | None) -> Answer:
        path = f"/channels/{channel['id']}/messages"
        return there.api.get(path, {"after": token, "limit": PER_PAGE})

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        found = sorted(answer.body, key=_order)
        last = max((int(one["id"]) for one in found if has_id(one)), default=0)
        return found, str(last) if last and last < min(newest, until) else None

    return walk(ask, read, start=start)


def _order(told: Any) -> int:
    return int(told["id"]) if has_id(told) else 0


def _written(told: Any) -> datetime:
    return instant(told["timestamp"])


def _start(window: Window, place: str | None) -> str:
    """After which message to read: the last one stored, or the window's start."""
    if place and given(window) == OPEN:
        return place
    begun = start_of(window)
    return snowflake(begun) if begun else "0"


def _may_read(there: Server, state: State, channel: Mapping[str, Any]) -> bool:
    """Whether the channel did not refuse us today: too many refusals ban an address."""
    return bool(state.get("refused", {}).get(channel["id"]) != _day(there.window))


def _day(window: Window) -> str:
    return str(window.now.astimezone(UTC).date())


# ---- threads -----------------------------------------------------------------------------------


def threads(there: Server, state: State) -> Iterator[Page]:
    """Active threads; those that were archived since the last look, once a day."""
    answer = there.api.get(f"/guilds/{there.window.options.account}/threads/active")
    yield from _each_thread(there, state, answer, answer.body.get("threads") or ())
    if given(there.window) == OPEN and not is_due_today(state, there.window, "archived"):
        return
    for channel in there.channels.values():
        if channel.get("type") in HAVE_THREADS and is_read(there, channel):
            yield from _archived(there, state, channel)
    done_today(state, there.window, "archived")


def _each_thread(
    there: Server, state: State, answer: Answer, threads: Iterable[Any]
) -> Iterator[Page]:
    for thread in threads:
        if not _is_thread(thread):
            yield page(state, [Item("thread", thread, answer.seen_at)])
        elif is_read(there, there.channels.get(str(thread.get("parent_id"))) or thread):
            there.threads[thread["id"]] = thread
            yield page(state, [Item("thread", thread, answer.seen_at, there.above(thread))])
            yield from lines(there, state, thread)


def _is_thread(told: Any) -> bool:
    return has_id(told) and isinstance(told.get("thread_metadata"), Mapping)


def _archived(there: Server, state: State, channel: Mapping[str, Any]) -> Iterator[Page]:
    """A channel's public threads by when they were archived, newest first."""
    marks = state.setdefault("archived", {})
    mark = marks.get(channel["id"]) if given(there.window) == OPEN else None
    begun = start_of(there.window)
    oldest = instant(mark) - ARCHIVED_OVERLAP if mark else begun
    path = f"/channels/{channel['id']}/threads/archived/public"

    def ask(token: str | None) -> Answer:
        return there.api.get(path, {"before": token, "limit": PER_PAGE})

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        found = answer.body.get("threads") or ()
        times = [at for one in found if (at := _archived_at(one))]
        return found, min(times) if answer.body.get("has_more") and times else None

    def is_old(told: Any) -> bool:
        at = _archived_at(told)
        return bool(at) and oldest is not None and instant(at) < oldest

    if not _may_read(there, state, channel):
        return
    try:
        for step in walk(ask, read, is_old=is_old):
            yield from _each_thread(there, state, step.answer, step.items)
    except Rejected as refused:
        if refused.status not in (403, 404):
            raise
        state.setdefault("refused", {})[channel["id"]] = _day(there.window)
        return
    marks[channel["id"]] = stamp(there.window.now)


def _archived_at(told: Any) -> str:
    try:
        return str(told["thread_metadata"]["archive_timestamp"] or "")
    except (KeyError, TypeError):
        return ""


def forget(there: Server, state: State) -> None:
    """Drop the places of threads that have long been silent, and yesterday's refusals."""
    oldest = int(snowflake(there.window.now - FORGET))
    state["channels"] = {
        one: last
        for one, last in state.get("channels", {}).items()
        if one in there.channels or int(last) >= oldest
    }
    today = _day(there.window)
    state["refused"] = {one: day for one, day in state.get("refused", {}).items() if day == today}


# ---- known messages again ----------------------------------------------------------------------


def again(there: Server, batch: Sequence[KnownMessage]) -> Iterator[Item]:
    """Known messages as they are now, with those written between them; those gone."""
    places: dict[str, dict[str, KnownMessage]] = {}
    for known in batch:
        place, _, id_ = known.message_id.partition(":")
        places.setdefault(place, {})[id_] = known
    for place, messages in places.items():
        try:
            yield from _reread(there, place, messages)
        except Rejected as refused:
            if refused.status not in (403, 404):
                raise
            if refused.is_gone:
                yield from (gone(one, there.window.now) for one in messages.values())


def _reread(there: Server, place: str, messages: Mapping[str, KnownMessage]) -> Iterator[Item]:
    channel = there.channels.get(place) or there.threads.get(place)
    if channel is None:
        channel = there.api.get(f"/channels/{place}").body
    ids = [int(one) for one in messages]
    found = set()
    for step in _above(there, channel, str(min(ids) - 1), max(ids)):
        found |= {one["id"] for one in step.items if has_id(one)}
        yield from (there.item(channel, one, step.answer.seen_at) for one in step.items)
    for id_ in messages.keys() - found:
        if _is_gone(there, place, id_):
            yield gone(messages[id_], there.window.now)


def _is_gone(there: Server, place: str, id_: str) -> bool:
    """Whether there is no such message: without the right to read history lists are empty."""
    try:
        there.api.get(f"/channels/{place}/messages/{id_}")
    except Rejected as refused:
        return refused.is_gone
    return False
