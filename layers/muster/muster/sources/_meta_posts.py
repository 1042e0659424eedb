"""Posts of ours as Meta lists them in; which of them have new comments, and how often seen, out.

Part of the cursor of facebook and instagram, for posts that are still watched::

    {"posts": {"1_2": {"at": instant, "comments": 7, "views": 90, "viewed": "2026-11-20"}, ...},
     "waiting": [["1_2", 8], ...]}

``comments`` is how many a post had when they were read last; ``waiting`` are the posts whose
comments are still to be read, with how many the list told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from muster.errors import Rejected
from muster.records import Deletion, Item, KnownMessage, Page
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._meta import Graph, after, bare, by_ids, figure, is_missing, is_too_much, listed
from muster.sources._newest import (
    OPEN,
    Place,
    State,
    Stream,
    follow,
    given,
    instant,
    page,
    stamp,
    start_of,
)

AT_ONCE = 50  # ids one request may name
SMALLEST = 5  # a page of that many is asked for in no smaller parts
OVERLAP = timedelta(days=1)


def stream(
    api: Graph,
    window: Window,
    name: str,
    path: str,
    fields: Mapping[str, Any],
    place: Callable[[Any], Place],
    back: timedelta,
) -> Stream:
    """A newest-first list under ``path``; read down to ``back`` before its mark or the window."""

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        until = instant(asked["until"]) if asked["until"] else None
        bound = {"until": int(until.timestamp())} if until else {}
        return _as_much_as_it_gives(api, path, {"limit": 100, **fields, **bound, **after(token)})

    def asked(mark: Place | None) -> Mapping[str, Any]:
        start = start_of(window)
        if mark and given(window) == OPEN:
            start = min(instant(mark[0]), window.now) - back
        elif start:
            start -= back
        return {"from": stamp(start) if start else "", "until": _stamped(window.until)}

    def is_old(asked: Mapping[str, Any], item: Any) -> bool:
        at = place_in(place, item)
        return bool(asked["from"] and at) and at[0] < asked["from"]

    return Stream(name, ask, listed, place, asked, is_old)


def _as_much_as_it_gives(api: Graph, path: str, asked: Mapping[str, Any]) -> Answer:
    """A page, or the half of it where a whole one is too much for Meta, and so on."""
    try:
        return api.get(path, asked)
    except Rejected as refused:
        if not is_too_much(refused.body) or asked["limit"] < SMALLEST:
            raise
    return _as_much_as_it_gives(api, path, {**asked, "limit": asked["limit"] // 2})


def by(time: str) -> Callable[[Any], Place]:
    """Where an item stands by its id and the time in the field of that name."""

    def place(item: Any) -> Place:
        if not isinstance(item["id"], str):
            raise TypeError("id is no text")
        return [stamp(instant(item[time])), item["id"]]

    return place


def place_in(place: Callable[[Any], Place], item: Any) -> Place:
    """Where an item stands; nowhere if it cannot be read: its mapping says why."""
    try:
        return place(item)
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _stamped(at: datetime | None) -> str:
    return stamp(at) if at else ""


def within(window: Window, place: Callable[[Any], Place], items: Iterable[Any]) -> list[Any]:
    """The items that were written in the window, and those that cannot be read."""
    start, until = start_of(window), window.until
    first, end = stamp(start) if start else "", stamp(until) if until else "9999"
    placed = [(place_in(place, item), item) for item in items]
    return [item for at, item in placed if not at or first <= at[0] < end]


def notice(state: State, window: Window, posts: Iterable[tuple[str, str, int]]) -> None:
    """Note the posts (id, time, comments) that have other comments than when they were read."""
    known, waiting = state.setdefault("posts", {}), state.setdefault("waiting", [])
    for post, at, comments in posts:
        entry = known.get(post, {})
        if comments != entry.get("comments", 0) and post not in [one for one, _ in waiting]:
            waiting.append([post, comments])
        if is_watched(window, at):
            known[post] = {"comments": 0, **entry, "at": stamp(instant(at))}


def is_watched(window: Window, at: str) -> bool:
    """Whether a post of that time is young enough to be looked at every time."""
    return instant(at) >= window.now - window.options.watched


def forget(state: State, window: Window) -> None:
    """Drop the posts that are watched no more, and where their comments were read up to."""
    known = state.get("posts", {})
    state["posts"] = {one: e for one, e in known.items() if is_watched(window, e["at"])}
    streams = state.setdefault("streams", {})
    for name in [one for one in streams if one.startswith("comments:")]:
        if name.removeprefix("comments:") not in state["posts"]:
            del streams[name]


def comments(
    state: State,
    window: Window,
    asked: Callable[[str], Stream],
    items: Callable[[str, Answer], Iterable[Item]],
    *,
    is_whole: bool = False,
) -> Iterator[Page]:
    """The comments of every post that waits, page by page; a post that is gone has none.

    With ``is_whole`` all of them are read each time, else those that are new since the last.
    """
    while state.setdefault("waiting", []):
        post, count = state["waiting"][0]
        try:
            for step in follow(state, asked(post), window):
                if step.token is None:
                    _read(state, post, count, is_whole)
                yield page(state, list(items(post, step.answer)))
        except Rejected as refused:
            if not is_missing(refused):
                raise
        _read(state, post, count, is_whole)


def _read(state: State, post: str, count: int, is_whole: bool) -> None:
    """The comments of a post have been read."""
    if state["waiting"] and state["waiting"][0][0] == post:
        state["waiting"].pop(0)
    if post in state.get("posts", {}):
        state["posts"][post]["comments"] = count
    if is_whole or post not in state.get("posts", {}):  # Nobody will ask from where to go on.
        state["streams"].pop(f"comments:{post}", None)


def views(
    api: Graph, state: State, window: Window, posts: Sequence[str], metric: str, more: str = ""
) -> dict[str, int | None]:
    """How often each post was seen: asked for once a UTC day, and where it is not known yet."""
    known, today = state.setdefault("posts", {}), str(window.now.date())
    due = [one for one in posts if known.get(one, {}).get("viewed") != today]
    fields = {"fields": f"insights.metric({metric}){more}"}
    found: dict[str, Any] = {}
    for at in range(0, len(due), AT_ONCE):
        told, _ = by_ids(api, due[at : at + AT_ONCE], fields)
        found.update(told)
    seen = {one: figure((found.get(one) or {}).get("insights"), metric) for one in due}
    for one in set(due) & set(known):
        known[one].update(views=seen[one], viewed=today)
    return {one: seen[one] if one in seen else known[one].get("views") for one in posts}


def looked_up(
    api: Graph, batch: Sequence[KnownMessage], fields: Mapping[str, Any], now: datetime
) -> tuple[dict[str, Any], list[Item]]:
    """Known messages as they are now, by id, and the items that say which are gone."""
    known = {message.message_id: message for message in batch}
    found, refused = by_ids(api, list(known), fields)
    gone = [
        Item("gone", error_body(why), now,
             {"message_id": one, "created_at": stamp(known[one].created_at)})
        for one, why in refused.items() if is_missing(why)
    ]  # fmt: skip
    return {one: bare(body) for one, body in found.items()}, gone


def gone_rows(item: Item, options: Any) -> Iterator[Deletion]:
    """A message that does not exist any more."""
    told = item.context or {}
    created = instant(told["created_at"])
    yield Deletion(
        message_id=told["message_id"], created_at=created, deleted_at=max(item.seen_at, created)
    )


def talks(api: Graph, window: Window, path: str, platform: str) -> Stream:
    """The conversations of private messages, those with the newest message first."""
    asked = {"fields": "id,updated_time", "platform": platform}
    return stream(api, window, "talks", path, asked, by("updated_time"), timedelta(0))


def talk(
    api: Graph, window: Window, conversation: str, fields: str
) -> Iterator[tuple[str, Any, datetime]]:
    """The messages of a conversation that Meta still shows, and when they were seen."""
    answer = api.get(f"/{conversation}/messages", {"fields": fields, "limit": 20})
    for one in within(window, by("created_time"), listed(answer)[0]):
        yield conversation, bare(one), answer.seen_at


def error_body(refused: Rejected) -> Any:
    """What Meta said when it refused, as an item's body."""
    return bare(refused.body) if isinstance(refused.body, Mapping) else None
