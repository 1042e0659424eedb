"""X (API v2): our posts, mentions, replies under our posts, posts by search terms, followers.

Credentials: an app's bearer token, from the developer console at https://console.x.com; or what
an OAuth 2.0 sign-in of the account gave (``{"client_id", "client_secret", "refresh_token"}`` with
the scopes ``tweet.read users.read offline.access``). X replaces that refresh token with each use.

Limits: pay per use, about $0.005 a post read; searches reach back 7 days (``full_archive``: all).
Of our own account a post costs $0.001 with an owner's token, and the same post is free for the
rest of a UTC day. Every post is therefore asked for as seldom as possible: marks by ``since_id``
that overlap by 35 minutes (an edit is possible for 30), and a look at known posts on days 1, 3, 7
and 30.

Verified: real recorded answers of API v2, and every field against X's own OpenAPI document.

Both generations of names are read (``referenced_tweets`` and ``referenced_posts``, …). An edit is
a new id; the message keeps the first. A message is inbound if it names our account, answers it,
or stands under a post of ours that was at most 8 days old. Plain reposts are left out: the
counter of the original has them. Missing posts are deletions; posts that became protected keep
their row.

Unverified: that ``created_at`` of an edited post is the time of the edit (read either way); the
body of a 402.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import SourceFailed
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import EpisodeGap, Source
from muster.sources import Window, _x_rows
from muster.sources._answer import Answer, WaitOf, asked_wait
from muster.sources._downward import gone_rows
from muster.sources._http import Api, Http
from muster.sources._newest import (
    OPEN,
    Place,
    State,
    Stream,
    begin,
    finish,
    follow,
    given,
    instant,
    mapped,
    page,
    recheck,
    stamp,
    start_of,
)
from muster.sources._tokens import OAuth, signed
from muster.sources._x_rows import history, is_readable, reference

IS_METERED = True  # a post read costs money
OVERLAP = timedelta(minutes=35)
RECENT = 7 * DAY - timedelta(minutes=1)  # how far back recent search and since_id reach
OUR_SPACE = 8 * DAY  # replies under a post of ours count as said to us for that long
REMEMBERED = OUR_SPACE + 37 * DAY  # so that the last look at a reply still knows
QUERY_LENGTH = 512
FIELDS = {
    "tweet.fields": "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,"
    "in_reply_to_user_id,lang,note_tweet,public_metrics,referenced_tweets",
    "user.fields": "created_at,entities,location,public_metrics,url",
    "expansions": "author_id",
}
_USER = {"user.fields": FIELDS["user.fields"]}
_PLAIN = re.compile(r"[#@$]?\w+")


class Options(Source):
    """What X needs beyond what every source has."""

    platform: Literal["x"]
    account: Annotated[str, Field(description="our username or numeric id")]
    episode_gap: EpisodeGap = timedelta(hours=24)
    terms: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=256)], ...],
        Field(description="search terms for ambient posts"),
    ] = ()
    full_archive: Annotated[
        bool, Field(description="search further back than 7 days where that is needed")
    ] = False


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    base_url = options.base_url or "https://api.x.com"
    oauth = OAuth(f"{base_url}/2/oauth2/token", basic=True)
    return signed(
        http,
        base_url,
        secret,
        oauth,
        name=options.name,
        needs='a bearer token, or {"client_id", "client_secret", "refresh_token"}',
        wait_of=_wait_of(options.name),
    )


def _wait_of(name: str) -> WaitOf:
    """Waits until the window resets; an empty purse or a spent month is no matter of waiting."""

    def wait(answer: Answer) -> float | None:
        kind = answer.body.get("type", "") if isinstance(answer.body, Mapping) else ""
        if answer.status == 402:
            raise SourceFailed(f"{name}: X wants credits (402): buy some at https://console.x.com")
        if answer.status == 429 and str(kind).endswith("/usage-capped"):
            raise SourceFailed(
                f"{name}: X's cap of posts read this month is reached: raise it or wait for the "
                "next cycle (https://console.x.com)"
            )
        asked = asked_wait(answer)
        return None if asked is None else asked + 1  # the reset is a whole second, rounded down

    return wait


def check(api: Api, options: Options) -> str:
    """Looks our account up."""
    user = _account(api, options).body["data"]
    followers = user["public_metrics"]["followers_count"]
    return f"reads X as seen by @{user['username']} ({user['id']}), {followers:,} followers"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found."""
    return (f"https://x.com/{handle}", f"https://twitter.com/{handle}")


def _account(api: Api, options: Options) -> Answer:
    name = options.account.lstrip("@")
    path = f"/2/users/{name}" if name.isdecimal() else f"/2/users/by/username/{name}"
    answer = api.get(path, _USER)
    if not (isinstance(answer.body, Mapping) and answer.body.get("data")):
        raise SourceFailed(
            f"{options.name}: X knows no account {name!r} (or it is suspended): check account"
        )
    return answer


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Account, own posts, mentions, replies under our posts, search terms, known posts again."""
    state = begin(window)
    yield from _account_pages(api, window, state)
    user = f"/2/users/{state['account']['id']}"
    posts = {"path": f"{user}/tweets", "exclude": "retweets"}
    mentions = {"path": f"{user}/mentions"}
    yield from _stream(api, window, state, "posts", lambda mark: {**posts, **_since(window, mark)})
    yield from _stream(
        api, window, state, "mentions", lambda mark: {**mentions, **_since(window, mark)}
    )
    searches = dict(_searches(window, state))
    for name, query in searches.items():
        if _reaches_search(window):
            yield from _stream(api, window, state, name, _search(window, query))
    for batch in recheck(state, window, 100):
        yield page(state, _looked_up(api, state, batch))
    _forget(window, state, {"posts", "mentions", *searches})
    yield finish(state)


def _account_pages(api: Api, window: Window, state: State) -> Iterator[Page]:
    """Our account once a UTC day: its id for every call, its followers for the lake."""
    today = str(window.now.astimezone(UTC).date())
    if state.get("account", {}).get("day") == today:
        return
    answer = _account(api, window.options)
    user = answer.body["data"]
    state["account"] = {"id": user["id"], "handle": user["username"], "day": today}
    yield page(state, [Item("account", user, answer.seen_at)])


def _stream(
    api: Api,
    window: Window,
    state: State,
    name: str,
    asked: Callable[[Place | None], Mapping[str, Any]],
) -> Iterator[Page]:
    """The pages of one list of posts, newest first."""

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        params = {name: value for name, value in asked.items() if name != "path"}
        return api.get(asked["path"], {**FIELDS, **params, "pagination_token": token})

    stream = Stream(
        name,
        ask,
        lambda answer: (answer.body.get("data") or (), _meta(answer).get("next_token")),
        lambda post: [stamp(instant(post["created_at"])), post["id"].zfill(20)],
        lambda mark: {"max_results": 100, **asked(mark)},
        settled=stamp(window.now - OVERLAP),
        is_read_once=True,  # a search each day of posts: more than one function has time for
    )
    for step in follow(state, stream, window):
        items = list(_items(state, step.answer))
        yield page(state, [*items, *_newer_versions(api, state, step.items)])


def _meta(answer: Answer) -> Mapping[str, Any]:
    return answer.body.get("meta") or {}


def _since(window: Window, mark: Place | None) -> dict[str, Any]:
    """The window as parameters: after the mark, unless a window is given."""
    if mark and given(window) == OPEN:
        return {"since_id": mark[1].lstrip("0")}
    return _between(start_of(window), window)


def _between(start: datetime | None, window: Window) -> dict[str, Any]:
    """Times as X takes them: none before it existed, none in the future."""
    asked = {}
    if start:
        asked["start_time"] = _seconds(max(start, datetime(2010, 11, 7, tzinfo=UTC)))
    if window.until and window.until < window.now:
        asked["end_time"] = _seconds(window.until)
    return asked


def _seconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _search(window: Window, query: str) -> Callable[[Place | None], Mapping[str, Any]]:
    """How to search: recent posts, or the full archive where that is allowed and needed."""
    horizon = window.now - RECENT

    def asked(mark: Place | None) -> Mapping[str, Any]:
        bounds = _since(window, mark)
        start = instant(mark[0]) if mark and "since_id" in bounds else start_of(window)
        kind = "recent"
        if start and start < horizon and window.options.full_archive:
            kind, bounds = "all", {**bounds, "max_results": 500}
        elif start and start < horizon:
            bounds = _between(horizon, window)
        path = f"/2/tweets/search/{kind}"
        return {"path": path, "query": query, "sort_order": "recency", **bounds}

    return asked


def _reaches_search(window: Window) -> bool:
    """Whether any search reaches back into the window."""
    is_past = window.until is not None and window.until <= window.now - RECENT
    return not is_past or window.options.full_archive


def _searches(window: Window, state: State) -> Iterator[tuple[str, str]]:
    """Stream and query of each search: replies under our posts, by the posts' day; the terms.

    A stream is named by what it looks for, so that a new term is looked for from the start.
    """
    tail = f" -is:retweet -from:{state['account']['handle']}"
    start, horizon = start_of(window), window.now - RECENT
    oldest = min(start, horizon) if start and window.options.full_archive else horizon
    days: dict[str, list[str]] = {}
    for root, at in sorted(state.get("roots", {}).items(), key=lambda root: (root[1], root[0])):
        if at >= stamp(oldest):
            days.setdefault(at[:10], []).append(f"conversation_id:{root}")
    for day, roots in days.items():
        for number, query in enumerate(_packed(roots, QUERY_LENGTH - len(tail))):
            yield f"replies:{day}:{number}", query + tail
    for query in _packed([_term(term) for term in window.options.terms], QUERY_LENGTH - len(tail)):
        yield f"terms:{query}", query + tail


def _term(term: str) -> str:
    """A term as X's query language takes it: words that are no plain word are a quoted phrase."""
    if _PLAIN.fullmatch(term) and term not in ("OR", "AND"):
        return term
    return '"{}"'.format(term.replace('"', " "))


def _packed(parts: Iterable[str], room: int) -> Iterator[str]:
    """The parts joined by OR, in as few queries as the allowed length permits."""
    packed: list[str] = []
    for part in parts:
        if packed and len(" OR ".join([*packed, part])) + 2 > room:
            yield f"({' OR '.join(packed)})"
            packed = []
        packed.append(part)
    if packed:
        yield f"({' OR '.join(packed)})"


def _forget(window: Window, state: State, live: set[str]) -> None:
    """Drop old posts of ours, and the marks of streams that are asked for no more."""
    oldest = stamp(window.now - REMEMBERED)
    state["roots"] = {root: at for root, at in state.get("roots", {}).items() if at >= oldest}
    state["streams"] = {name: at for name, at in state["streams"].items() if name in live}


def _items(state: State, answer: Answer) -> Iterator[Item]:
    """The posts and authors of an answer, with what their mapping needs to know."""
    users = (answer.body.get("includes") or {}).get("users") or ()
    handles = {
        str(user.get("id")): user.get("username") for user in users if isinstance(user, Mapping)
    }
    us = {"id": state["account"]["id"], "handle": state["account"]["handle"]}
    for post in answer.body.get("data") or ():
        yield Item("post", post, answer.seen_at, _context(state, us, post, handles))
    for user in users:
        yield Item("user", user, answer.seen_at, {"us": us})


def _context(
    state: State, us: Mapping[str, str], post: Any, handles: Mapping[Any, Any]
) -> dict[str, Any]:
    if not is_readable(post):
        return {"us": us}
    author, thread = post.get("author_id"), post.get("conversation_id")
    roots, written = state.setdefault("roots", {}), instant(post["created_at"])
    if author == us["id"] and thread and not reference(post, "replied_to"):
        roots[thread] = stamp(written)
    is_under_ours = thread in roots and written - instant(roots[thread]) <= OUR_SPACE
    return {"us": us, "handle": handles.get(author), "is_under_ours": is_under_ours}


def _newer_versions(api: Api, state: State, posts: Sequence[Any]) -> Iterator[Item]:
    """The latest version of every post that was answered in an older one."""
    read = [post for post in posts if is_readable(post)]
    missing = sorted({history(post)[-1] for post in read} - {post["id"] for post in read})
    for at in range(0, len(missing), 100):
        yield from _items(state, _lookup(api, missing[at : at + 100]))


def _lookup(api: Api, ids: Sequence[str]) -> Answer:
    return api.get("/2/tweets", {**FIELDS, "ids": ",".join(ids)})


def _looked_up(api: Api, state: State, batch: Sequence[KnownMessage]) -> list[Item]:
    """Known posts as they are now, and the error that says one is gone."""
    known = {message.message_id: message for message in batch}
    answer = _lookup(api, list(known))
    items = [one for one in _items(state, answer) if not _is_earlier(one, known)]
    items += _newer_versions(api, state, answer.body.get("data") or ())
    for error in answer.body.get("errors") or ():
        message = _found_missing(error, known)
        if message:
            told = {"message_id": message.message_id, "created_at": stamp(message.created_at)}
            items.append(Item("gone", error, answer.seen_at, told))
    return items


def _is_earlier(item: Item, known: Mapping[str, KnownMessage]) -> bool:
    """Whether it is the first version, and tells of no other, of a post that is known as edited."""
    if item.stream != "post" or not is_readable(item.body):
        return False
    message = known.get(str(item.body.get("id")))
    return bool(message and message.edited_at) and history(item.body)[-1] == item.body["id"]


def _found_missing(error: Any, known: Mapping[str, KnownMessage]) -> KnownMessage | None:
    """The known message that an error says is gone; not one that only may not be read."""
    if not isinstance(error, Mapping) or not isinstance(error.get("type"), str):
        return None
    is_gone = error["type"].endswith("/resource-not-found")
    return known.get(str(error.get("resource_id") or error.get("value"))) if is_gone else None


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, member, audience or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "account": _x_rows.account_rows,
    "user": _x_rows.user_rows,
    "post": _x_rows.post_rows,
    "gone": gone_rows,
}
