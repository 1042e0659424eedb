"""A post whose comments are to be read in; its comments, branch by branch, out.

What is still to be read stands in the source's cursor under ``due``, so that a killed run goes on:
``["tree", post, comment or null]`` is a page of a post, ``["more", post, [ids]]`` comments that
such a page left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from muster.errors import Rejected
from muster.sources._answer import Answer
from muster.sources._http import Api
from muster.sources._newest import State

MORE = 100  # ids one call may ask for
RAW = {"raw_json": 1}  # else the text's < > & are escaped


def due(state: State, post: str) -> None:
    """Note a post (``t3_abc``) whose comments are to be read."""
    job = ["tree", post, None]
    if job not in state["due"]:
        state["due"].append(job)


def read(api: Api, state: State) -> Iterator[tuple[Answer, list[Any]]]:
    """One answer a job, with its posts and comments; the job is done when the next is asked for."""
    while state["due"]:
        kind, post, what = state["due"][0]
        found: list[Any] = []
        answer = Answer(None, 404, {}, api.http.clock())
        try:
            answer = _tree(api, post, what) if kind == "tree" else _more(api, post, what)
            found = list(_flat(_listed(answer.body)))
        except Rejected as refused:
            if not refused.is_gone and refused.status != 403:  # deleted, or private meanwhile
                raise
        state["due"] = [*_left_out(post, what, found), *state["due"][1:]]
        yield answer, [one for one in found if not _is_more(one)]


def _tree(api: Api, post: str, comment: str | None) -> Answer:
    path = f"/comments/{post.removeprefix('t3_')}"
    path = f"{path}/_/{comment.removeprefix('t1_')}" if comment else path
    return api.get(path, {"limit": 500, "sort": "new", **RAW})


def _more(api: Api, post: str, children: list[str]) -> Answer:
    asked = {"api_type": "json", "link_id": post, "children": ",".join(children), **RAW}
    return api.get("/api/morechildren", asked)


def _listed(body: Any) -> list[Any]:
    """The things of an answer: of a post's page, of more comments, of a plain list."""
    if isinstance(body, list):
        return [thing for listing in body for thing in _listed(listing)]
    if not isinstance(body, Mapping):
        return [body]  # no listing: quarantine says so
    data = body.get("data") or (body.get("json") or {}).get("data") or {}
    return list(data.get("children") or data.get("things") or ())


def _flat(things: list[Any]) -> Iterator[Any]:
    """Comments and all below them, each without those below."""
    waiting = list(reversed(things))
    while waiting:
        thing = waiting.pop()
        data = thing.get("data") if isinstance(thing, Mapping) else None
        replies = data.get("replies") if isinstance(data, Mapping) else None
        if isinstance(data, Mapping) and isinstance(replies, Mapping):
            waiting.extend(reversed(_listed(replies)))
            thing = {**thing, "data": {**data, "replies": ""}}
        yield thing


def _is_more(thing: Any) -> bool:
    return isinstance(thing, Mapping) and thing.get("kind") == "more"


def _left_out(post: str, asked: Any, found: list[Any]) -> Iterator[list[Any]]:
    """Jobs for what an answer left out: branches cut off in depth, and ids in hundreds."""
    ids: list[str] = []
    for data in (thing.get("data") for thing in found if _is_more(thing)):
        if not isinstance(data, Mapping):
            continue
        ids += [one for one in data.get("children") or () if isinstance(one, str)]
        parent = data.get("parent_id")
        if not data.get("children") and isinstance(parent, str) and parent not in (asked, post):
            yield ["tree", post, parent]
    for at in range(0, len(ids), MORE):
        if ids[at : at + MORE] != asked:  # else it would be asked for again and again
            yield ["more", post, ids[at : at + MORE]]
