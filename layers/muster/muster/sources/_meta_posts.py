"""Meta's newest-first lists, its objects by their ids, how often posts were seen, and talks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from muster.errors import Rejected
from muster.records import Item, KnownMessage, Page
from muster.sources import Window, _watched
from muster.sources._answer import Answer
from muster.sources._downward import gone
from muster.sources._meta import (
    Graph,
    after,
    bare,
    by_ids,
    figure,
    is_missing,
    is_too_much,
    listed,
)
from muster.sources._meta import Page as OurPage
from muster.sources._newest import Place, State, Stream, follow, instant, page, stamp
from muster.sources._watched import place_in, within

AT_ONCE = 50  # ids one request may name
SMALLEST = 5  # a page of that many is asked for in no smaller parts


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

    asked = _watched.bounds(window, back)
    return Stream(name, ask, listed, place, asked, _watched.older(place))


def _as_much_as_it_gives(api: Graph, path: str, asked: Mapping[str, Any]) -> Answer:
    """A page, or the half of it where a whole one is too much for Meta; the next are as small."""
    limit = min(asked["limit"], api.most)
    try:
        return api.get(path, {**asked, "limit": limit})
    except Rejected as refused:
        if not is_too_much(refused.body) or limit < SMALLEST:
            raise
    api.most = limit // 2
    return _as_much_as_it_gives(api, path, asked)


def by(time: str) -> Callable[[Any], Place]:
    """Where an item stands by its id and the time in the field of that name."""

    def place(item: Any) -> Place:
        if not isinstance(item["id"], str):
            raise TypeError("id is no text")
        return [stamp(instant(item[time])), item["id"]]

    return place


def views(
    api: Graph, state: State, window: Window, posts: Sequence[str], metric: str
) -> dict[str, int | None]:
    """How often each post was seen: asked for once a UTC day, and where it is not known yet.

    Kept beside what is known of a watched post: ``views``, and the day it was ``viewed``.
    """
    known, today = state.setdefault("posts", {}), str(window.now.date())
    due = [one for one in posts if known.get(one, {}).get("viewed") != today]
    found: dict[str, Any] = {}
    for at in range(0, len(due), AT_ONCE):
        fields = {"fields": f"insights.metric({metric})"}
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
    missing = {one: bare(why.body) for one, why in refused.items() if is_missing(why)}
    lost = [gone(known[one], now, body) for one, body in missing.items()]
    return {one: bare(body) for one, body in found.items()}, lost


def talks(
    api: OurPage, window: Window, state: State, platform: str, fields: str, us: Any
) -> Iterator[Page]:
    """Private messages of the conversations that have new ones; ``us`` goes with each."""
    asked = {"fields": "id,updated_time", "platform": platform}
    path, place = f"/{api.id}/conversations", by("updated_time")
    newest = stream(api, window, "talks", path, asked, place, timedelta(0))
    for step in follow(state, newest, window):
        new = [talk["id"] for talk in step.items if place_in(place, talk)]
        yield page(state, [one for talk in new for one in _talk(api, window, talk, fields, us)])


def _talk(api: Graph, window: Window, talk: str, fields: str, us: Any) -> Iterator[Item]:
    """The messages of a conversation that Meta still shows."""
    answer = api.get(f"/{talk}/messages", {"fields": fields, "limit": 20})
    for one in within(window, by("created_time"), listed(answer)[0]):
        yield Item("direct", bare(one), answer.seen_at, {"us": us, "talk": talk})
