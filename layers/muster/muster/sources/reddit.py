"""Reddit: the posts and comments of a subreddit, posts elsewhere by search terms, subscribers.

Credentials: an app that Reddit has approved, as ``{"client_id": …, "client_secret": …}``, for
community research with the scope ``read``. Apps are asked for at https://developers.reddit.com
since November 2025, existing ones (https://www.reddit.com/prefs/apps) go on; commercial use needs
a contract. With a ``refresh_token`` too, private subreddits of its user are read.

Limits: 100 requests a minute. Any list ends after about 1,000 items, so a subreddit is fetched
often; the comments of the posts in reach are read post by post the first time.

Verified: every post and comment of PRAW's recordings; not against Reddit itself.

Moderators are staff in their own subreddit. Known posts and comments are looked at again every
day for ``recheck`` (90 days): what their authors or moderators took away, or what is missing,
loses its text within a day, as Reddit's terms want it within two. A post's text is its title and
its words; ``resolution_tags`` may name flairs such as Solved. Names like HelpBot are bots.

Unverified: that lists end at about 1,000; the scope of an app's own token; 100 ids a call of
``/api/info``; when a score is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import Duration, Source
from muster.sources import Window, _reddit_rows
from muster.sources import _reddit_trees as trees
from muster.sources._answer import Answer, asked_wait
from muster.sources._downward import (
    done_today,
    downward,
    gone,
    gone_rows,
    is_due_today,
    is_within,
)
from muster.sources._http import Api, Http
from muster.sources._newest import (
    OPEN,
    Place,
    State,
    begin,
    finish,
    follow,
    given,
    instant,
    mapped,
    page,
    recheck,
    stamp,
)
from muster.sources._reddit_rows import created_at, is_readable
from muster.sources._tokens import OAuth, lacking, signed

OVERLAP = 2 * DAY
IN_GAP = 7 * DAY  # whose comments are read post by post when a list was cut off
NEEDS = 'an approved Reddit app: {"client_id": …, "client_secret": …}'


class Options(Source):
    """What Reddit needs beyond what every source has."""

    platform: Literal["reddit"]
    account: Annotated[
        str,
        StringConstraints(pattern=r"^(?:/?r/)?[A-Za-z0-9_]{2,30}$"),
        Field(description="our subreddit, e.g. r/example"),
    ]
    contact: Annotated[
        str, Field(description="our name on Reddit, for the User-Agent it asks for")
    ] = "unknown"
    recheck: Annotated[
        Duration, Field(description="how long known posts and comments are looked at again")
    ] = timedelta(days=90)


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    agent = f"python:muster:0.1 (by /u/{options.contact.removeprefix('u/')})"
    oauth = OAuth(
        f"{options.base_url or _reddit_rows.SITE}/api/v1/access_token",
        basic=True,
        headers={"User-Agent": agent},
    )
    return signed(
        http,
        options.base_url or "https://oauth.reddit.com",
        secret,
        oauth,
        name=options.name,
        needs=NEEDS,
        wait_of=_wait_of(options.name),
        pause_of=_pause,
    )


def _wait_of(name: str) -> Callable[[Answer], float | None]:
    def wait(answer: Answer) -> float | None:
        if answer.status == 403 and answer.body is None:
            raise SourceFailed(
                f"{name}: Reddit answers programs of this kind with a page (403): check that the "
                "app is approved, and contact of the source"
            )
        return asked_wait(answer)

    return wait


def _pause(answer: Answer) -> float | None:
    """The rest of the ten minutes, once their requests are used up."""
    left, reset = (answer.headers.get(f"x-ratelimit-{name}") for name in ("remaining", "reset"))
    try:
        return float(reset or 0) if left is not None and float(left) < 1 else None
    except ValueError:
        return None


def check(api: Api, options: Options) -> str:
    """Looks our subreddit up."""
    told = _about(api, options).body["data"]
    return f"reads r/{told['display_name']}, {told['subscribers']:,} subscribers"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found."""
    return tuple(f"{_reddit_rows.SITE}/{path}/{handle}" for path in ("user", "u"))


def _sub(options: Options) -> str:
    return options.account.removeprefix("/").removeprefix("r/")


def _about(api: Api, options: Options) -> Answer:
    """What Reddit tells of our subreddit; a refusal names what is missing."""
    if api.scopes and not api.scopes & {"*", "read"}:
        raise lacking(options.name, ["read"], api.scopes, "https://www.reddit.com/prefs/apps")
    sub = _sub(options)
    try:
        return api.get(f"/r/{sub}/about", trees.RAW)
    except Rejected as refused:
        if refused.is_gone:
            raise SourceFailed(f"{options.name}: there is no r/{sub}: check account") from None
        if refused.status != 403:
            raise
        raise SourceFailed(
            f"{options.name}: r/{sub} may not be read (403): it is private, or the app lacks the "
            "scope read: a refresh_token of one of its members, with that scope, opens it"
        ) from None


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Subreddit, posts, comments, search terms, known ones again, comments post by post."""
    state = begin(window)
    state.setdefault("due", [])
    yield from _daily(api, window, state)
    sub, is_first = _sub(window.options), _is_first(window, state)
    for step in _list(api, window, state, "posts", f"/r/{sub}/new", {}):
        for post in filter(is_readable, step.items):
            if is_first and post["data"].get("num_comments"):
                trees.due(state, post["data"]["name"])
        yield page(state, list(_items(window, state, step.answer, step.items)))
    yield from _comments(api, window, state, f"/r/{sub}/comments", is_first)
    for term in window.options.terms:
        yield from _search(api, window, state, term)
    for batch in recheck(state, window, 100, lambda *_: True, window.options.recheck):
        yield page(state, list(_looked_up(api, window, state, batch)))
    for answer, things in trees.read(api, state):
        yield page(state, list(_items(window, state, answer, things)))
    yield finish(state)


def _daily(api: Api, window: Window, state: State) -> Iterator[Page]:
    """The subreddit and its moderators, once a UTC day."""
    if "mods" in state and not is_due_today(state, window, "about"):
        return
    answer = _about(api, window.options)
    items = [Item("subreddit", answer.body, answer.seen_at)]
    mods: list[Any] = []
    try:
        told = api.get(f"/r/{_sub(window.options)}/about/moderators", trees.RAW)
        mods = told.body["data"].get("children") or []
        items += [Item("moderator", one, told.seen_at) for one in mods]
    except Rejected as refused:
        if refused.status not in (403, 404):  # who they are is told to some only
            raise
    names = [one.get("name") for one in mods if isinstance(one, Mapping)]
    state["mods"] = sorted(name.casefold() for name in names if isinstance(name, str))
    done_today(state, window, "about")
    yield page(state, items)


def _is_first(window: Window, state: State) -> bool:
    """Whether comments have to be read post by post: the first time, and for a backfill."""
    posts = state.get("streams", {}).get("posts", {})
    return given(window) != OPEN or "mark" not in posts


def _list(
    api: Api, window: Window, state: State, name: str, path: str, params: Mapping[str, Any]
) -> Iterator[Any]:
    """The steps through a list, newest first."""

    def read(answer: Answer) -> tuple[Sequence[Any], str | None]:
        data = answer.body["data"]
        return data.get("children") or (), data.get("after")

    stream = downward(
        name,
        lambda asked, token: api.get(path, {"limit": 100, **params, **trees.RAW, "after": token}),
        read,
        _place,
        window,
        OVERLAP,
    )
    yield from follow(state, stream, window)


def _place(thing: Any) -> Place:
    return [stamp(created_at(thing["data"])), thing["data"]["name"]]


def _comments(api: Api, window: Window, state: State, path: str, is_first: bool) -> Iterator[Page]:
    """The newest comments; where the list ends before the last ones known, those of each post."""
    mark = state["streams"].get("comments", {}).get("mark")
    oldest = "9999"
    for step in _list(api, window, state, "comments", path, {}):
        things = list(filter(is_readable, step.items))
        oldest = min([oldest, *(_place(thing)[0] for thing in things)])
        if step.token is None and mark and mark[0] < oldest != "9999" and not is_first:
            for known in window.known(instant(mark[0]) - IN_GAP):
                if known.message_id.startswith("t3_"):
                    trees.due(state, known.message_id)
        yield page(state, list(_items(window, state, step.answer, step.items)))


def _search(api: Api, window: Window, state: State, term: str) -> Iterator[Page]:
    """Posts of other subreddits that hold a term; comments cannot be searched."""
    query = '"{}"'.format(term.replace('"', " ")) if " " in term else term
    asked = {"q": query, "sort": "new", "type": "link"}
    for step in _list(api, window, state, f"search:{term}", "/search", asked):
        elsewhere = [thing for thing in step.items if not _is_ours(window, thing)]
        yield page(state, list(_items(window, state, step.answer, elsewhere)))


def _is_ours(window: Window, thing: Any) -> bool:
    data = thing.get("data") if isinstance(thing, Mapping) else None
    told = data.get("subreddit") if isinstance(data, Mapping) else None
    return isinstance(told, str) and told.casefold() == _sub(window.options).casefold()


def _items(window: Window, state: State, answer: Answer, things: Iterable[Any]) -> Iterator[Item]:
    """The posts and comments of the window, with what their mapping needs to know."""
    for thing in things:
        if is_within(window, lambda one: created_at(one["data"]), thing):
            data = thing.get("data") if isinstance(thing, Mapping) else None
            author = data.get("author") if isinstance(data, Mapping) else None
            is_mod = isinstance(author, str) and author.casefold() in state["mods"]
            told = {"is_ours": _is_ours(window, thing), "is_mod": is_mod}
            yield Item("thing", thing, answer.seen_at, told)


def _looked_up(
    api: Api, window: Window, state: State, batch: Sequence[KnownMessage]
) -> Iterator[Item]:
    """Known posts and comments as they are now; those that are missing are gone."""
    ids = ",".join(known.message_id for known in batch)
    answer = api.get("/api/info", {"id": ids, **trees.RAW})
    found = answer.body["data"].get("children") or []
    yield from _items(window, state, answer, found)
    if all(map(is_readable, found)):  # else the missing one may be the one that cannot be read
        there = {thing["data"]["name"] for thing in found}
        yield from (gone(one, answer.seen_at) for one in batch if one.message_id not in there)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, thread, member, audience or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "subreddit": _reddit_rows.subreddit_rows,
    "moderator": _reddit_rows.moderator_rows,
    "thing": _reddit_rows.thing_rows,
    "gone": gone_rows,
}
