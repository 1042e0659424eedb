"""Discussions that changed in a window in; each of them, and its comments, out as items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from muster.clock import DAY
from muster.records import Item, Page
from muster.sources import Window, _github_graphql
from muster.sources._answer import Answer
from muster.sources._downward import downward, is_within
from muster.sources._github_graphql import connection, entries, query, told_of
from muster.sources._github_items import Teams, groups_of
from muster.sources._http import Api
from muster.sources._newest import Place, State, follow, instant, page, stamp
from muster.sources._paging import walk

OVERLAP = DAY


def discussions(api: Api, window: Window, state: State, teams: Teams) -> Iterator[Page]:
    """Discussions that changed, each read whole."""

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        return query(api, window.options, _github_graphql.DISCUSSIONS, after=token)

    def place(told: Any) -> Place:
        return [stamp(instant(told["updatedAt"])), str(told["number"])]

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        return connection(answer, "discussions")

    stream = downward("discussions", ask, read, place, window, OVERLAP)
    bound = stream.asked(state.get("streams", {}).get("discussions", {}).get("mark"))
    for step in follow(state, stream, window):
        items: list[Item] = []
        for told in step.items:
            if _is_numbered(told) and not stream.is_old(bound, told):
                items += discussion(api, window, teams, told)
        yield page(state, items)


def _written(told: Any) -> datetime:
    return instant(told["createdAt"])


def _is_numbered(told: Any) -> bool:
    return isinstance(told, Mapping) and isinstance(told.get("number"), int)


def discussion(api: Api, window: Window, teams: Teams, listed: Mapping[str, Any]) -> Iterator[Item]:
    """A discussion and its comments, each with what the list told of the discussion."""
    context: dict[str, Any] = {"discussion": listed}

    def ask(token: str | None) -> Answer:
        number = listed["number"]
        return query(api, window.options, _github_graphql.DISCUSSION, number=number, after=token)

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        return entries((told_of(answer).get("discussion") or {}).get("comments"))

    for number, step in enumerate(walk(ask, read)):
        told = told_of(step.answer).get("discussion")
        if not told:
            return
        context["channel"] = (told.get("category") or {}).get("name")
        seen_at = step.answer.seen_at
        if not number and is_within(window, _written, told):
            comments = {**(told.get("comments") or {}), "nodes": []}  # each an item of its own
            body = {**told, "comments": comments}
            yield Item("discussion", body, seen_at, {**context, **groups_of(teams, told)})
        for one in step.items:
            comment = _answered(api, window, one)
            yield Item("discussed", comment, seen_at, {**context, **groups_of(teams, comment)})


def _answered(api: Api, window: Window, comment: Any) -> Any:
    """A comment with all of its replies, where there are more than came with it."""
    told = comment.get("replies") if isinstance(comment, Mapping) else None
    first: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    found, token = entries(first)
    if not token:
        return comment

    def ask(after: str | None) -> Answer:
        return query(api, window.options, _github_graphql.REPLIES, id=comment["id"], after=after)

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        return entries(((answer.body.get("data") or {}).get("node") or {}).get("replies"))

    more = [reply for step in walk(ask, read, start=token) for reply in step.items]
    return {**comment, "replies": {**first, "nodes": [*found, *more]}}
