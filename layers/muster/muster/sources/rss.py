"""Any RSS or Atom feed: the comments of a blog, its posts, or what others write about us.

Credentials: none. ``base_url`` is the feed's address; where that has a query, ``feed`` is its path
(``/comments/feed/?lang=de``).

Limits: a feed holds its newest entries only, often 10, so it is fetched often. Where it leads to
older ones (``rel="next"``), they are read too.

Verified: RSS 2.0, RSS 1.0, Atom and its threading extension as feedparser reads them; feeds of
WordPress, Blogger and the like are written by hand here, not recorded.

``holds`` says what the entries are: ``comments`` said to us, ``posts`` of our own, or ``mentions``
found elsewhere (a feed of a search). A comment's thread is the page it stands on, by its address
without what follows ``#``. An entry that tells only when it was changed (Atom may) keeps the first
such time, one without any the time at which it was first seen. In a feed with the newest first,
one that is missing between others is a deletion. Addresses of mail are never taken as names. Feeds
that define entities of their own are refused; whatever else is wrong with a feed's XML is read as
far as it goes.

Unverified: that a feed with a hole had its entry deleted, and not only held back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urljoin, urlsplit

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import SourceFailed
from muster.records import Deletion, Item, Page, Row
from muster.settings import BaseUrl, Source
from muster.sources import Window, _rss_rows
from muster.sources._answer import Answer, parted
from muster.sources._downward import downward, gone, gone_rows, is_within
from muster.sources._http import Api, Http
from muster.sources._newest import OPEN, begin, finish, follow, given, mapped, page, stamp
from muster.sources._rss_feed import Feed, entry, feed, whole
from muster.sources._rss_rows import changed_at, key_of, published_at
from muster.sources._text import tidy

OVERLAP = 7 * DAY
_TYPES = "application/atom+xml, application/rss+xml, application/xml, text/xml"


class Options(Source):
    """What a feed needs beyond what every source has."""

    platform: Literal["rss"]
    base_url: Annotated[
        BaseUrl, Field(description="the feed's address: https://blog.example.org/comments/feed")
    ]
    feed: Annotated[
        str,
        StringConstraints(pattern=r"^(?:/\S*)?$"),
        Field(description="path of the feed, where base_url alone is not its address"),
    ] = ""
    holds: Annotated[
        Literal["comments", "posts", "mentions"],
        Field(description="what its entries are: said to us, ours, or found elsewhere"),
    ] = "comments"


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The connection; there is nothing to sign."""
    return Api(http, options.base_url, {"Accept": _TYPES}, name=options.name)


def check(api: Api, options: Options) -> str:
    """Reads the feed's first page."""
    found: Feed = _ask(api, options.feed).body
    title = found.facts.get("title") or options.base_url
    return f"reads the feed {tidy(str(title))}, {len(found.entries)} entries now"


def _ask(api: Api, path: str) -> Answer:
    """A page of the feed; ``SourceFailed`` if it is none."""
    answer = api.get(path, read=whole)
    found = feed(answer.body)
    if not found.is_feed:
        raise SourceFailed(f"{api.name}: there is no RSS or Atom feed: check base_url and feed")
    return replace(answer, body=found)


def pages(api: Api, window: Window) -> Iterator[Page]:
    """The feed's pages, newest first; then the entries that are missing among them."""
    state = begin(window)
    first = _First(window, state.setdefault("seen", {}))
    found: dict[str, datetime] = {}
    stream = downward(
        "entries",
        lambda asked, token: _ask(api, token or window.options.feed),
        lambda answer: (_entries(first, answer), _older(api, answer)),
        lambda told: [stamp(told.at), told.key],
        window,
        OVERLAP,
    )
    is_newest_first = True
    for step in follow(state, stream, window):
        times = [told.at for told in step.items]
        is_newest_first = is_newest_first and times == sorted(times, reverse=True)
        found.update((told.key, told.at) for told in step.items if told.key)
        inside = [told for told in step.items if is_within(window, lambda one: one.at, told)]
        yield page(state, [_item(step.answer, told) for told in inside])
    if found and is_newest_first:  # else something old is pinned, and missing means nothing
        yield page(state, list(_missing(api, window, found)))
    state["seen"] = {key: at for key, at in state["seen"].items() if key in found}
    yield finish(state)


@dataclass(frozen=True)
class _Entry:
    """An entry, its id (none if it has none), when it was written and, if untold, first seen."""

    body: Mapping[str, str]
    key: str
    at: datetime
    first_seen: str | None


@dataclass
class _First:
    """The first times of entries that do not tell when they were written: by the cursor (``seen``),
    else by the lake."""

    window: Window
    seen: dict[str, str]
    stored: Mapping[str, datetime] | None = None

    def of(self, key: str | None, told: datetime) -> str:
        if not key:
            return stamp(told)
        if key not in self.seen:
            self.seen[key] = stamp(self._known().get(key, told))
        return self.seen[key]

    def _known(self) -> Mapping[str, datetime]:
        if self.stored is None:
            every = self.window.known(datetime(1970, 1, 1, tzinfo=UTC))
            self.stored = {one.message_id: one.created_at for one in every}
        return self.stored


def _entries(first: _First, answer: Answer) -> list[_Entry]:
    """The entries of a page; those that do not tell when they were written are remembered."""
    found = []
    for body in answer.body.entries:
        told = entry(body)
        key, at, first_seen = key_of(told), published_at(told), None
        if at is None:
            first_seen = first.of(key, changed_at(told) or answer.seen_at)
            at = datetime.fromisoformat(first_seen)
        found.append(_Entry(body, key or "", at, first_seen))
    return found


def _older(api: Api, answer: Answer) -> str | None:
    """The whole address of an older page; ``Api`` refuses one on another host."""
    links = answer.body.links
    older = next((one.get("href") for one in links if one.get("rel") == "next"), None)
    home = urlsplit(api.base_url)
    return urljoin(f"{home.scheme}://{home.netloc}/", older) if older and parted(older) else None


def _item(answer: Answer, told: _Entry) -> Item:
    context = {"feed": dict(answer.body.facts), "first_seen": told.first_seen}
    return Item("entry", dict(told.body), answer.seen_at, context)


def _missing(api: Api, window: Window, found: Mapping[str, datetime]) -> Iterator[Item]:
    """Known entries that stand no more between those that are still there."""
    if given(window) != OPEN:
        return
    oldest, now = min(found.values()), api.http.clock()
    for known in window.known(oldest):
        if known.created_at > oldest and known.message_id not in found:
            yield gone(known, now)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, thread, member or deletion an item stands for."""
    if item.stream == "gone":
        yield from gone_rows(item, options)
    else:
        yield from mapped(lambda: _rss_rows.entry_rows(item, options, options.holds))
