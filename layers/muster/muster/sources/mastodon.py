"""Mastodon and servers that speak its API: our posts, threads, mentions, search terms, followers.

Credentials: a token of our account with the scopes ``read:accounts``, ``read:statuses``,
``read:notifications`` and, for search terms, ``read:search``. It is made on the account's server
(``base_url``) under Preferences → Development → New application. Without a token only our own
posts, the threads under them and ``#hashtag`` terms are read.

Limits: 300 requests in five minutes, unless the server says otherwise. Of what is written on
other servers ours shows what it has seen, and counts accordingly.

Verified: every status of Mastodon.py's recordings, the documentation of Mastodon 4.6, and Takahe,
a server that speaks its API (``make test-mastodon``).

Ids are the server's own: a source that moves to another server is a new source. The network has
no thread id: the first post of a chain names its thread. A term that begins with ``#`` is read
from that hashtag; others need a server with full-text search. Posts that are not public are never
stored; found by a term, posts of authors who ask not to be found (``discoverable``, ``noindex``,
#nobot) are kept without text, name and address. Posts of the last week are looked at again every
day, others on days 7 and 30; those that are missing then are deletions. ``instance: true`` also
counts the members of the server.

Unverified: that search is newest first; that one call takes 20 ids; how the types of notifications
that a server does not know are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, quote

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import BaseUrl, EpisodeGap, Source
from muster.sources import Window, _mastodon_rows
from muster.sources import _mastodon_threads as threads
from muster.sources._answer import Answer, links, parted
from muster.sources._downward import (
    done_today,
    downward,
    gone,
    gone_rows,
    is_due_today,
    is_within,
)  # fmt: skip
from muster.sources._http import Api, Http
from muster.sources._mastodon_rows import created_at, is_readable, post_of
from muster.sources._newest import (
    Place,
    State,
    begin,
    came_of_age,
    finish,
    follow,
    mapped,
    page,
    recheck,
    stamp,
)  # fmt: skip

OVERLAP = DAY  # what other servers send arrives late
WEEK = 7 * DAY  # posts this young are looked at every day
LOOK_UP = 20


class Options(Source):
    """What Mastodon needs beyond what every source has."""

    platform: Literal["mastodon"]
    base_url: Annotated[
        BaseUrl, Field(description="the server of the account: https://mastodon.example")
    ]
    account: Annotated[str, Field(description="our name on that server, e.g. desk")]
    episode_gap: EpisodeGap = timedelta(hours=24)
    instance: Annotated[
        bool, Field(description="the server itself is our community: count its members")
    ] = False


class Server(Api):
    """A connection that knows whether somebody is signed in."""

    is_signed = False

    def needs(self, scope: str, path: str, params: Mapping[str, Any]) -> Answer:
        """The answer to a call that wants a scope; a refusal names it."""
        try:
            return self.get(path, params)
        except Rejected as refused:
            if refused.status not in (400, 401, 403, 422):  # Takahe: 400 for a wrong token
                raise
            raise SourceFailed(
                f"{refused}; the token must be a user's, with scope {scope}"
            ) from None


def connect(options: Options, secret: str | None, http: Http) -> Server:
    """The connection, signed if there is a token."""
    headers = {"Authorization": f"Bearer {secret}" if secret else None}
    server = Server(http, options.base_url, headers, name=options.name)
    server.is_signed = bool(secret)
    return server


def check(api: Server, options: Options) -> str:
    """Looks our account up, and the newest mention if there is a token."""
    account = _account(api, options).body
    may = "without a token: no mentions"
    if api.is_signed:
        api.needs("read:notifications", "/api/v1/notifications", {"limit": 1})
        may = "and its mentions"
    followers = account["followers_count"]
    return f"reads @{account['acct']} ({account['id']}), {followers:,} followers, {may}"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found; a name without a server is of our own."""
    name, _, host = handle.partition("@")
    home = f"https://{host}" if host else (options.base_url or "").rstrip("/")
    return (f"{home}/@{name}", f"{home}/users/{name}")


def _account(api: Server, options: Options) -> Answer:
    try:
        acct = {"acct": options.account.lstrip("@")}
        return api.needs("read:accounts", "/api/v1/accounts/lookup", acct)
    except Rejected as refused:
        if not refused.is_gone:
            raise
        raise SourceFailed(
            f"{options.name}: {options.base_url} knows no account {options.account!r}: "
            "check account and base_url"
        ) from None


def pages(api: Server, window: Window) -> Iterator[Page]:
    """Account, own posts, mentions, terms, known posts again, threads under our posts."""
    state = begin(window)
    threads.begin(state)
    yield from _daily(api, window, state)
    own = f"/api/v1/accounts/{state['us']['id']}/statuses"
    yield from _list(api, window, state, "posts", own, {"exclude_reblogs": "true", "limit": 40})
    if api.is_signed:
        yield from _mentions(api, window, state)
    for term in window.options.terms:
        yield from _term(api, window, state, term)
    for batch in recheck(state, window, LOOK_UP, _is_due(state)):
        yield page(state, list(_looked_up(api, window, state, batch)))
    yield from _threads(api, window, state)
    threads.forget(window.now, state)
    yield finish(state)


def _daily(api: Server, window: Window, state: State) -> Iterator[Page]:
    """Our account once a UTC day: its id for every call, its followers; a server's members."""
    if "us" in state and not is_due_today(state, window, "account"):
        return
    answer = _account(api, window.options)
    state["us"] = {"id": answer.body["id"], "acct": answer.body["acct"]}
    items = [Item("account", answer.body, answer.seen_at)]
    if window.options.instance:
        told = api.get("/nodeinfo/2.0")
        items.append(Item("server", told.body, told.seen_at))
    done_today(state, window, "account")
    yield page(state, items)


def _list(
    api: Server, window: Window, state: State, name: str, path: str, params: Mapping[str, Any],
) -> Iterator[Page]:  # fmt: skip
    """The pages of a plain list of posts, newest first."""
    stream = downward(
        name,
        lambda asked, token: api.get(path, {**params, "max_id": token}),
        lambda answer: (answer.body or (), _next(answer)),
        _place,
        window,
        OVERLAP,
    )
    for step in follow(state, stream, window):
        yield page(state, list(_items(api, window, state, step.answer, step.items)))


def _next(answer: Answer) -> str | None:
    """The id below which the next page begins; the address may name another host."""
    query = parse_qs(parted(links(answer).get("next")).query)
    return query.get("max_id", [None])[0]


def _place(status: Any) -> Place:
    return [stamp(created_at(status)), status["id"].zfill(20)]


def _mentions(api: Server, window: Window, state: State) -> Iterator[Page]:
    """Posts that name us or quote us, by what our account was notified of."""
    params = {"types[]": ["mention", "quote"], "limit": 80}
    stream = downward(
        "mentions",
        lambda asked, token: api.needs(
            "read:notifications", "/api/v1/notifications", {**params, "max_id": token}
        ),
        lambda answer: (answer.body or (), _next(answer)),
        _place,
        window,
        OVERLAP,
    )
    for step in follow(state, stream, window):
        yield page(state, list(_items(api, window, state, step.answer, step.items)))


def _term(api: Server, window: Window, state: State, term: str) -> Iterator[Page]:
    """Posts with a hashtag, or with words of a term."""
    if term.startswith("#"):
        path = f"/api/v1/timelines/tag/{quote(term[1:], safe='')}"
        yield from _list(api, window, state, f"tag:{term}", path, {"limit": 40})
    elif not api.is_signed:
        raise SourceFailed(
            f"{window.options.name}: the term {term!r} needs a token with scope read:search; "
            "a term that begins with # needs none"
        )
    else:
        yield from _search(api, window, state, term)


def _search(api: Server, window: Window, state: State, term: str) -> Iterator[Page]:
    query = '"{}"'.format(term.replace('"', " ")) if " " in term else term
    params = {"q": query, "type": "statuses", "limit": 40}

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        found = answer.body.get("statuses") or ()
        ids = [status["id"] for status in found if is_readable(status)]
        return found, min(ids, key=lambda one: one.zfill(20)) if len(found) >= 40 and ids else None

    stream = downward(
        f"search:{term}",
        lambda asked, token: api.needs(
            "read:search", "/api/v2/search", {**params, "max_id": token}
        ),
        read,
        _place,
        window,
        OVERLAP,
    )
    for step in follow(state, stream, window):
        yield page(state, list(_items(api, window, state, step.answer, step.items)))


def _items(
    api: Server, window: Window, state: State, answer: Answer, found: Iterable[Any],
    is_daily: bool = False,
) -> Iterator[Item]:  # fmt: skip
    """Posts of the window, or notices of them, with the thread they stand in."""
    for told in found:
        post = post_of(told)
        if not is_readable(post):
            yield Item("status", told, answer.seen_at, {"us": state["us"]})
        elif is_within(window, created_at, post):
            is_new = post["id"] not in state["seen"]
            thread = threads.thread(api, state, post)
            threads.watch(state, post, is_new, is_daily)
            facts = {"us": state["us"], "thread": thread}
            is_under_ours = threads.is_under_ours(state, post)
            yield Item("status", told, answer.seen_at, {**facts, "is_under_ours": is_under_ours})


def _is_due(state: State) -> Callable[[KnownMessage, datetime, datetime], bool]:
    """Posts of the last week or of a certain age, and every day our young threads."""

    def is_due(known: KnownMessage, last: datetime, now: datetime) -> bool:
        age, is_ours = now - known.created_at, known.message_id in state["ours"]
        is_young = age < WEEK or (is_ours and age < threads.OUR_SPACE)
        return is_young or came_of_age(known, last, now)

    return is_due


def _looked_up(
    api: Server, window: Window, state: State, batch: Sequence[KnownMessage]
) -> Iterator[Item]:
    """Known posts as they are now; those that are missing are gone.

    The lake's thread stands: where the first post was deleted, those below forget it.
    """
    for known in batch:
        state["seen"].setdefault(known.message_id, [known.thread_id, stamp(known.created_at)])
    answer, found = _lookup(api, state, [known.message_id for known in batch])
    yield from _items(api, window, state, answer, found, is_daily=True)
    if all(map(is_readable, found)):  # else the missing one may be the one that cannot be read
        there = {post["id"] for post in found}
        yield from (gone(one, answer.seen_at) for one in batch if one.message_id not in there)


def _lookup(api: Server, state: State, ids: Sequence[str]) -> tuple[Answer, list[Any]]:
    """Posts by their ids; one by one where the server is older than Mastodon 4.3."""
    if not state.get("one_by_one"):
        try:
            answer = api.get("/api/v1/statuses", {"id[]": ids})
            return answer, list(answer.body or ())
        except Rejected as refused:
            if refused.status not in (404, 405):
                raise
            state["one_by_one"] = True
    found: list[Any] = []
    for one in ids:
        try:
            answer = api.get(f"/api/v1/statuses/{quote(one, safe='')}")
            found.append(answer.body)
        except Rejected as refused:
            if not refused.is_gone:
                raise
            answer = Answer(None, refused.status, {}, api.http.clock())
    return answer, found


def _threads(api: Server, window: Window, state: State) -> Iterator[Page]:
    """What stands below our posts that have news, one thread a page."""
    while state["due"]:
        items: list[Item] = []
        try:
            answer = api.get(threads.context(state["due"][0]))
            below = answer.body.get("descendants") or ()
            items = list(_items(api, window, state, answer, below, is_daily=True))
        except Rejected as refused:
            if not refused.is_gone:
                raise
        state["due"].pop(0)
        yield page(state, items)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, member, audience or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "account": _mastodon_rows.account_rows,
    "server": _mastodon_rows.server_rows,
    "status": _mastodon_rows.status_rows,
    "gone": gone_rows,
}
