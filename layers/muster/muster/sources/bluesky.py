"""Bluesky (AT Protocol): our posts, threads under them, mentions, posts by search terms, followers.

Credentials: an app password of the account. It is made under Settings → Privacy and security →
App passwords; ``account`` names whose it is. ``base_url`` is the account's PDS, or the entryway
https://bsky.social, which passes reads on to the network's view. Search works signed in only.

Limits: 3,000 requests in 5 minutes; a feed is read back to its beginning.

Verified: a real Bluesky network run here (``make test-bluesky``), and its lexicons.

Posts of authors who ask not to be shown to those who are not signed in
(``!no-unauthenticated``) are kept without text, name and address. A post can be overwritten in
place; the network tells neither when nor that it was, so ``edited_at`` stays empty and the text
is the newest. A known post that is not found any more is a deletion.

Unverified: the ``bot`` label; how deep threads are cut off by the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import EpisodeGap, Source
from muster.sources import Window, _bluesky_rows
from muster.sources._answer import Answer
from muster.sources._bluesky_rows import created_at, is_ours, is_readable, placed_at, root_of
from muster.sources._downward import downward, gone, gone_rows, is_within
from muster.sources._http import Api, Http
from muster.sources._newest import (
    Place,
    State,
    Stream,
    begin,
    came_of_age,
    finish,
    follow,
    instant,
    mapped,
    page,
    recheck,
    stamp,
)

OVERLAP = DAY  # posts reach the network's view late
THREADS = 14 * DAY  # how long a thread under a post of ours is read again
DEPTH = 100
REASONS = ("mention", "reply", "quote")
_EXPIRED = ("ExpiredToken", "InvalidToken")


class Options(Source):
    """What Bluesky needs beyond what every source has."""

    platform: Literal["bluesky"]
    account: Annotated[str, Field(description="our handle or DID")]
    episode_gap: EpisodeGap = timedelta(hours=24)


class Session(Api):
    """A signed-in connection; a token that has expired is renewed once a request finds out."""

    def __init__(self, options: Options, password: str, http: Http) -> None:
        base_url = options.base_url or "https://bsky.social"
        super().__init__(http, base_url, {}, name=options.name, renew=self._renewed_token)
        self._options = options
        who = {"identifier": options.account.lstrip("@"), "password": password}
        told = self._sign_in("createSession", who)
        self.did: str = told["did"]

    def _sign_in(self, method: str, body: Any = None) -> Mapping[str, Any]:
        try:
            told: Mapping[str, Any] = self.post(f"/xrpc/com.atproto.server.{method}", body).body
        except Rejected as refused:
            raise SourceFailed(_refusal(self._options, refused)) from None
        self._refresh: str = told["refreshJwt"]
        self.sign({"Authorization": f"Bearer {told['accessJwt']}"})
        return told

    def ask(self, method: str, **params: Any) -> Answer:
        """The answer to a query by its name."""
        return self.get(f"/xrpc/{method}", params)

    def _renewed_token(self, refused: Rejected) -> Mapping[str, str] | None:
        """A fresh token if the old one was refused for its age (Bluesky: with a 400)."""
        if _error(refused) not in _EXPIRED:
            return None
        self.sign({"Authorization": f"Bearer {self._refresh}"})
        told = self._sign_in("refreshSession")
        return {"Authorization": f"Bearer {told['accessJwt']}"}


def _error(refused: Rejected) -> Any:
    """The network's own name for what is wrong."""
    return refused.body.get("error") if isinstance(refused.body, Mapping) else None


def _refusal(options: Options, refused: Rejected) -> str:
    """Why signing in failed; what the server said is left out, it may repeat the password."""
    if _error(refused) == "AuthFactorTokenRequired":
        return (
            f"{options.name}: Bluesky wants a second factor for {options.account}: "
            "use an app password (Settings → Privacy and security → App passwords)"
        )
    return (
        f"{options.name}: Bluesky refuses the sign-in of {options.account} ({refused.status}): "
        "check account and app password of the source, and base_url if it is not on bsky.social"
    )


def connect(options: Options, secret: str | None, http: Http) -> Session:
    """The signed-in client."""
    if not secret:
        raise SourceFailed(
            f"{options.name}: Bluesky needs an app password: set token: env:NAME for this source"
        )
    return Session(options, secret, http)


def check(api: Session, options: Options) -> str:
    """Looks our own profile up."""
    profile = api.ask("app.bsky.actor.getProfile", actor=api.did).body
    followers = profile["followersCount"]
    return f"reads Bluesky as @{profile['handle']} ({api.did}), {followers:,} followers"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found; a handle is a domain whose owner the network checked."""
    profile = "https://bsky.app/profile"
    return (f"{profile}/{handle}", f"{profile}/{member_id}", f"https://{handle}")


def pages(api: Session, window: Window) -> Iterator[Page]:
    """Profile, own feed, mentions, search terms, known posts again, threads under our posts."""
    state = begin(window)
    state.setdefault("threads", [])  # roots still to be read: a killed run must not forget them
    answer = api.ask("app.bsky.actor.getProfile", actor=api.did)
    us = {"did": api.did, "handle": answer.body["handle"]}
    yield page(state, [Item("account", answer.body, answer.seen_at)])
    yield from _feed(api, window, state, us)
    yield from _notifications(api, window, state, us)
    for term in window.options.terms:
        yield from _search(api, window, state, us, term)
    for batch in recheck(state, window, 25, _is_due(api.did)):
        yield page(state, list(_looked_up(api, window, state, us, batch)))
    yield from _threads(api, window, state, us)
    yield finish(state)


def _feed(api: Session, window: Window, state: State, us: Mapping[str, str]) -> Iterator[Page]:
    """Our posts and replies, and the posts they answer as far as the feed shows them."""

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        actor = {"actor": us["did"], "filter": "posts_with_replies"}
        return api.ask("app.bsky.feed.getAuthorFeed", **actor, limit=100, cursor=token)

    def place(entry: Any) -> Place:
        at = (entry.get("reason") or {}).get("indexedAt")
        return [stamp(instant(at)), ""] if at else _place(entry["post"])

    for step in follow(state, _stream("feed", "feed", ask, place, window), window):
        own = [entry for entry in step.items if not _is_shown_again(entry)]
        posts = [entry.get("post") if isinstance(entry, Mapping) else entry for entry in own]
        _remember(state, us, posts)
        entries = [
            entry
            for entry, post in zip(own, posts, strict=True)
            if is_within(window, created_at, post)
        ]
        items = [Item("feed", entry, step.answer.seen_at, us) for entry in entries]
        yield page(state, items + _items(window, us, step.answer, _answered(entries)))


def _notifications(
    api: Session, window: Window, state: State, us: Mapping[str, str]
) -> Iterator[Page]:
    """Posts that mention, answer or quote us.

    All notifications are asked for: asked for some kinds only, the network sends empty pages
    through all of history, with nothing in them to stop at.
    """

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        return api.ask("app.bsky.notification.listNotifications", limit=100, cursor=token)

    def place(notice: Any) -> Place:
        return [stamp(instant(notice["indexedAt"])), notice["uri"]]

    stream = _stream("notifications", "notifications", ask, place, window)
    for step in follow(state, stream, window):
        items = []
        for answer in _posts(api, [uri for notice in step.items if (uri := _told_of(notice))]):
            _remember(state, us, answer.body["posts"], in_threads=True)
            items += _items(window, us, answer, answer.body["posts"])
        yield page(state, items)


def _told_of(notice: Any) -> str | None:
    if not isinstance(notice, Mapping) or notice.get("reason") not in REASONS:
        return None
    uri = notice.get("uri")
    return uri if isinstance(uri, str) and _bluesky_rows.POSTS in uri else None


def _search(
    api: Session, window: Window, state: State, us: Mapping[str, str], term: str
) -> Iterator[Page]:
    """Posts that hold a term, of those the network's search reaches."""
    query = '"{}"'.format(term.replace('"', " ")) if " " in term else term

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        bounds = {"since": _iso(asked["from"]), "until": _iso(asked["until"])}
        found = {"q": query, "sort": "latest", **bounds, "limit": 100, "cursor": token}
        return api.ask("app.bsky.feed.searchPosts", **found)

    stream = _stream(f"search:{term}", "posts", ask, _place, window)
    for step in follow(state, stream, window):
        yield page(state, _items(window, us, step.answer, step.items))


def _stream(
    name: str,
    key: str,
    ask: Callable[[Mapping[str, Any], str | None], Answer],
    place: Callable[[Any], Place],
    window: Window,
) -> Stream:
    """A list under ``key``, read down to the mark less the overlap, or to the window's start."""

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        return answer.body.get(key) or (), answer.body.get("cursor")

    return downward(name, ask, read, place, window, OVERLAP)


def _iso(at: str | None) -> str | None:
    """An instant of a walk as the network's search takes it."""
    return instant(at).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _place(post: Any) -> Place:
    return [stamp(placed_at(post)), post["uri"]]


def _is_shown_again(entry: Any) -> bool:
    """Whether an entry of the feed is a repost or a pin."""
    return isinstance(entry, Mapping) and bool(entry.get("reason"))


def _answered(entries: Iterable[Any]) -> list[Any]:
    """The posts that entries of our feed answer, roots and parents, each once."""
    found = {}
    for entry in entries:
        above = entry.get("reply") if isinstance(entry, Mapping) else None
        for post in (above.get("root"), above.get("parent")) if above else ():
            if isinstance(post, Mapping) and str(post.get("$type")).endswith("#postView"):
                found[post.get("uri")] = post
    return list(found.values())


def _items(
    window: Window, us: Mapping[str, str], answer: Answer, posts: Iterable[Any]
) -> list[Item]:
    inside = (post for post in posts if is_within(window, created_at, post))
    return [Item("post", post, answer.seen_at, us) for post in inside]


def _remember(
    state: State, us: Mapping[str, str], posts: Iterable[Any], in_threads: bool = False
) -> None:
    """Note the threads to read: our roots that have replies, or that these posts stand under."""
    for post in filter(is_readable, posts):
        root = root_of(post)
        has_news = in_threads or (root == post["uri"] and post.get("replyCount"))
        if has_news and is_ours(root, us["did"]) and root not in state["threads"]:
            state["threads"].append(root)


def _posts(api: Session, uris: Sequence[str]) -> Iterator[Answer]:
    """Posts as they are now, 25 at a time."""
    for at in range(0, len(uris), 25):
        yield api.ask("app.bsky.feed.getPosts", uris=uris[at : at + 25])


def _is_due(did: str) -> Callable[[KnownMessage, datetime, datetime], bool]:
    """Posts of a certain age, and every day the roots of young threads of ours."""

    def is_due(known: KnownMessage, last: datetime, now: datetime) -> bool:
        is_root = is_ours(known.message_id, did) and known.message_id == known.thread_id
        return came_of_age(known, last, now) or (is_root and now - known.created_at < THREADS)

    return is_due


def _looked_up(
    api: Session,
    window: Window,
    state: State,
    us: Mapping[str, str],
    batch: Sequence[KnownMessage],
) -> Iterator[Item]:
    """Known posts as they are now; those that are missing are gone."""
    for answer in _posts(api, [known.message_id for known in batch]):
        posts = answer.body["posts"]
        _remember(state, us, posts)
        yield from _items(window, us, answer, posts)
        if not all(map(is_readable, posts)):
            continue  # the one that is missing may be the one that cannot be read
        found = {post["uri"] for post in posts}
        for known in batch:
            if known.message_id not in found:
                yield gone(known, answer.seen_at)


def _threads(api: Session, window: Window, state: State, us: Mapping[str, str]) -> Iterator[Page]:
    """The posts of every thread noted, one thread a page."""
    while state["threads"]:
        items: list[Item] = []
        try:
            answer = api.ask(
                "app.bsky.feed.getPostThread", uri=state["threads"][0], depth=DEPTH, parentHeight=0
            )
            items = _items(window, us, answer, _nodes(answer.body["thread"]))
        except Rejected as refused:
            if not (refused.is_gone or _error(refused) == "NotFound"):
                raise
        state["threads"].pop(0)
        yield page(state, items)


def _nodes(thread: Any) -> Iterator[Any]:
    """The posts of a thread; nodes that are deleted or blocked have none."""
    waiting = [thread]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping) and "post" in node:
            yield node["post"]
            waiting.extend(reversed(node.get("replies") or ()))


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, member, audience or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "account": _bluesky_rows.account_rows,
    "feed": _bluesky_rows.feed_rows,
    "post": _bluesky_rows.post_rows,
    "gone": gone_rows,
}
