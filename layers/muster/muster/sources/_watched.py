"""Posts of ours as a platform lists them in; which of them have other comments than before, out.

Part of the cursor of a platform whose comments are asked for post by post (facebook, instagram,
linkedin), for posts that are still young enough to be watched::

    {"posts": {"1_2": {"at": instant, "comments": 7}, ...}, "waiting": [["1_2", 8], ...]}

``comments`` is how many a post had when they were read last; ``waiting`` are the posts whose
comments are still to be read, with how many the list told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from muster.errors import Rejected
from muster.records import Item, Page
from muster.sources import Window
from muster.sources._answer import Answer
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

OVERLAP = timedelta(days=1)
PlaceOf = Callable[[Any], Place]


def bounds(window: Window, back: timedelta) -> Callable[[Place | None], Mapping[str, Any]]:
    """What a newest-first list is asked for: down to ``back`` before its mark, or the window."""

    def asked(mark: Place | None) -> Mapping[str, Any]:
        start = start_of(window)
        if mark and given(window) == OPEN:
            start = min(instant(mark[0]), window.now) - back
        elif start:
            start -= back
        until = stamp(window.until) if window.until else ""
        return {"from": stamp(start) if start else "", "until": until}

    return asked


def older(place: PlaceOf) -> Callable[[Mapping[str, Any], Any], bool]:
    """Whether an item is from before what was asked for."""

    def is_old(asked: Mapping[str, Any], item: Any) -> bool:
        at = place_in(place, item)
        return bool(asked["from"] and at) and at[0] < asked["from"]

    return is_old


def place_in(place: PlaceOf, item: Any) -> Place:
    """Where an item stands; nowhere if it cannot be read: its mapping says why."""
    try:
        return place(item)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        return []


def within(window: Window, place: PlaceOf, items: Iterable[Any]) -> list[Any]:
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
    is_missing: Callable[[Rejected], bool],
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
                found = list(items(post, step.answer))
                if step.token is None:
                    _read(state, post, count, is_whole)
                yield page(state, found)
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
