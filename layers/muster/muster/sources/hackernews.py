"""Hacker News: stories and comments that name us, those of our account, and what answers them.

Credentials: none. ``terms`` are looked for in stories and comments; one like ``site:example.org``
in the addresses of stories. ``account`` is our own name there.

Limits: 10,000 requests an hour and address. A search finds up to 1,000 at once, so time is walked
through in slices, back to the beginning if ``since`` is not set.

Verified: the sources of Hacker News' search and the description of its API; no real answers.

Searching is Algolia's (https://hn.algolia.com), which finds words that only begin like a term; so
what was found is looked through again for the whole word. Edits have no time. On days 1, 3, 7 and
30 each is asked for at the site itself: what is deleted there, or dead (flagged, or taken away by
moderators), is a deletion. Points of comments are hidden; there are no followers.

Unverified: 100 hits a page; that quotes and ``typoTolerance`` narrow a search; how a refusal for
too many requests looks (a minute is waited for).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import Source
from muster.sources import Window, _hackernews_rows
from muster.sources._answer import Answer, asked_wait
from muster.sources._channels import host_of
from muster.sources._downward import downward, gone, gone_rows, is_within
from muster.sources._hackernews_rows import (
    author_of,
    created_at,
    id_of,
    is_readable,
    kind_of,
    parent_of,
    words_of,
)  # fmt: skip
from muster.sources._http import Api, Http
from muster.sources._newest import (
    Place,
    State,
    begin,
    finish,
    follow,
    instant,
    mapped,
    page,
    recheck,
    stamp,
)  # fmt: skip

OVERLAP = 3 * DAY
OUR_SPACE = 14 * DAY  # how long answers to a story or comment of ours are read
REMEMBERED = OUR_SPACE + 31 * DAY  # so that the last look at an answer still knows
PER_PAGE = 100
LOOK_UP = 20
_SITE = "site:"
_CALMER = 60.0
_URL_ONLY = {"restrictSearchableAttributes": "url"}


class Options(Source):
    """What Hacker News needs beyond what every source has: nothing."""

    platform: Literal["hackernews"]


class News:
    """Both connections: to the search, and to the site's own numbers."""

    def __init__(self, search: Api, site: Api) -> None:
        self.search = search
        self.site = site

    def close(self) -> None:
        """Close both."""
        self.search.close()
        self.site.close()


def connect(options: Options, secret: str | None, http: Http) -> News:
    """The connections; there is nothing to sign."""
    if not (options.terms or options.account):
        raise SourceFailed(f"{options.name}: set terms to look for, or account, or both")
    hosts = ("https://hn.algolia.com", "https://hacker-news.firebaseio.com")
    search, site = (
        Api(http, options.base_url or host, {}, name=options.name, wait_of=_wait) for host in hosts
    )
    return News(search, site)


def _wait(answer: Answer) -> float | None:
    return (asked_wait(answer) or _CALMER) if answer.status == 429 else asked_wait(answer)


def check(api: News, options: Options) -> str:
    """Looks our account up, or else for the first term."""
    if options.account:
        try:
            told = api.search.get(f"/api/v1/users/{quote(options.account, safe='')}").body
        except Rejected as refused:
            if not refused.is_gone:
                raise
            raise SourceFailed(
                f"{options.name}: Hacker News knows no {options.account!r}: check account (names "
                "have their case)"
            ) from None
        return f"reads Hacker News as seen by {told['username']}, karma {int(told['karma']):,}"
    found = api.search.get("/api/v1/search_by_date", _query(options.terms[0])).body
    return f"reads Hacker News, {int(found['nbHits']):,} hits for {options.terms[0]!r}"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found."""
    return (f"https://news.ycombinator.com/user?id={handle}",)


def pages(api: News, window: Window) -> Iterator[Page]:
    """What our account wrote, what a term finds, what answers us, known ones again."""
    state = begin(window)
    state.setdefault("ours", {})  # what we wrote: when, what it is, when its answers were read
    if account := window.options.account:
        kinds = f"(story,comment,poll),author_{account}"
        yield from _found(
            api, window, state, "ours", {"tags": kinds}, lambda told: True, by_us=True
        )
    for term in window.options.terms:
        yield from _found(api, window, state, f"term:{term}", _query(term), _matches(term))
    yield from _answers(api, window, state)
    for batch in recheck(state, window, LOOK_UP):
        yield page(state, list(_looked_up(api, window, state, batch)))
    oldest = stamp(window.now - REMEMBERED)
    state["ours"] = {key: one for key, one in state["ours"].items() if one[0] >= oldest}
    yield finish(state)


def _query(term: str) -> dict[str, Any]:
    """How to search for a term: as it is written, or in addresses only."""
    if term.startswith(_SITE):
        return {"query": term.removeprefix(_SITE), "tags": "story", **_URL_ONLY}
    words = '"{}"'.format(term.replace('"', " "))
    return {"query": words, "tags": "(story,comment,poll)", "typoTolerance": "false"}


def _matches(term: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a hit really holds the term: as whole words, or as its host."""
    if term.startswith(_SITE):
        host = re.escape(term.removeprefix(_SITE))
        at = re.compile(rf"(?:.*\.)?{host}", re.IGNORECASE)
        return lambda told: bool(at.fullmatch(host_of(str(told.get("url") or ""))))
    whole = re.compile(rf"(?<!\w){re.escape(term)}(?!\w)", re.IGNORECASE)
    return lambda told: bool(whole.search(f"{words_of(told)} {told.get('url') or ''}"))


def _found(
    api: News, window: Window, state: State, name: str, query: Mapping[str, Any],
    is_wanted: Callable[[Mapping[str, Any]], bool], **context: Any,
) -> Iterator[Page]:  # fmt: skip
    """Hits of a search, newest first, each slice older than the one before."""

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        until = token or (asked["until"] and str(int(instant(asked["until"]).timestamp())))
        bounds = [f"created_at_i<={until}"] if until else []
        bounds += _from(asked["from"])
        within = {"numericFilters": ",".join(bounds) or None, "hitsPerPage": PER_PAGE}
        return api.search.get("/api/v1/search_by_date", {**query, **within})

    stream = downward(name, ask, _read, _place, window, OVERLAP)
    for step in follow(state, stream, window):
        hits = [one for one in step.items if not is_readable(one) or is_wanted(one)]
        yield page(state, list(_items(window, state, step.answer, hits, **context)))


def _from(at: str | None) -> list[str]:
    return [f"created_at_i>={int(instant(at).timestamp())}"] if at else []


def _read(answer: Answer) -> tuple[Sequence[Any], str | None]:
    """The hits, and up to when the next slice goes; its first hits are then the last of this."""
    hits = answer.body.get("hits") or []
    times = [int(one["created_at_i"]) for one in hits if is_readable(one)]
    return hits, str(min(times)) if times and len(hits) >= answer.body["hitsPerPage"] else None


def _place(told: Any) -> Place:
    return [stamp(created_at(told)), id_of(told).zfill(12)]


def _items(
    window: Window, state: State, answer: Answer, entries: Iterable[Any], **context: Any
) -> Iterator[Item]:
    """Entries of the window, and whether they speak to us; ours are noted."""
    for told in entries:
        if not is_readable(told):
            yield Item("entry", told, answer.seen_at, context)
        elif is_within(window, created_at, told):
            if context.get("by_us") or _is_ours(window, told):
                _note(state, told)
            to_us = _is_to_us(state, told, context.get("thread"))
            yield Item("entry", told, answer.seen_at, {**context, "to_us": to_us})


def _is_to_us(state: State, told: Mapping[str, Any], thread: str | None) -> bool:
    """Whether it answers us, or stands under a story of ours."""
    try:
        above = {parent_of(told), thread or str(told.get("story_id"))} - {id_of(told)}
    except (TypeError, ValueError):
        return False
    return any(one in state["ours"] for one in above)


def _is_ours(window: Window, told: Mapping[str, Any]) -> bool:
    return author_of(told) is not None and author_of(told) == window.options.account


def _note(state: State, told: Mapping[str, Any]) -> None:
    """Remember what is ours, and whether it has more answers than when they were read."""
    fresh = [stamp(created_at(told)), kind_of(told), "", 0]
    entry = state["ours"].setdefault(id_of(told), fresh)
    answers = told.get("num_comments") or 0
    if answers > entry[3]:
        entry[2:] = ["", answers]


def _answers(api: News, window: Window, state: State) -> Iterator[Page]:
    """What answers our young stories and comments: a story's whole tree, a comment's branches.

    Each once a day, a story also whenever its number of comments has changed.
    """
    today = window.now.date().isoformat()
    for key, (written, kind, read, _) in list(state["ours"].items()):
        if read == today or window.now - instant(written) > OUR_SPACE:
            continue
        items: list[Item] = []
        try:
            answer = api.search.get(f"/api/v1/items/{key}")
            children = answer.body.get("children") or []
            wanted = list(_flat(children)) if kind != "comment" else list(map(_bare, children))
            items = list(_items(window, state, answer, wanted))
        except Rejected as refused:
            if not refused.is_gone:
                raise
        state["ours"][key][2] = today
        yield page(state, items)


def _flat(branches: Sequence[Any]) -> Iterator[Any]:
    waiting = list(reversed(branches))
    while waiting:
        told = waiting.pop()
        if isinstance(told, Mapping):
            waiting.extend(reversed(told.get("children") or ()))
        yield _bare(told)


def _bare(told: Any) -> Any:
    """A branch without those below; one whose text is gone was deleted."""
    if not isinstance(told, Mapping):
        return told
    is_gone = told.get("author") is None and told.get("text") is None and "title" in told
    return {**told, "children": [], **({"deleted": True} if is_gone else {})}


def _looked_up(
    api: News, window: Window, state: State, batch: Sequence[KnownMessage]
) -> Iterator[Item]:
    """Known entries as the site itself has them; those it does not know are gone."""
    for known in batch:
        answer = api.site.get(f"/v0/item/{known.message_id}.json")
        if answer.body is None:
            yield gone(known, answer.seen_at)
        else:
            yield from _items(window, state, answer, [answer.body], thread=known.thread_id)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, thread, member or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "entry": _hackernews_rows.entry_rows,
    "gone": gone_rows,
}
