"""Discourse forums: posts, topics, members and their number, after the forum's own JSON API.

Credentials: none for a public forum; an API key for private categories and the list of members.
It is made under Admin → API → New key ("Read-only", user ``system``); an administrator's also reads
how many members there were on each day of the last year. ``base_url`` is the forum's address,
``username`` the user whose rights the key uses.

Limits: 60 requests a minute with a key, as the forum sets them; read back to the first post.

Verified: real answers of a development server; not against a live forum.

How it reads: posts upwards by id, window by window on a fixed grid, so that every page moves the
cursor and a killed backfill goes on; the start of a ``since`` is found by bisection. Topics newest
activity first, down to three days before the last success; those whose posts were not all just
read are read again, and posts missing there are looked up and found deleted. Once a week the posts
of the last 30 days are checked so, and topics of the last 90 (late accepted answers).

Facts taken on trust: like = action 2, what the reactions of a post count, a call of a topic's
posts takes 20 ids, the shape of the report of sign-ups (those who left are told nowhere: earlier
numbers are of who is still counted).
``closed_at`` is the last post's time: Discourse does not list when a topic was closed.
When an answer was accepted is not told either; the time of the solution's message stands for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, Unavailable
from muster.records import Deletion, Item, Page, Row
from muster.settings import BaseUrl, Source
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait, parted
from muster.sources._discourse_answers import (
    granted,
    id_of,
    is_hidden,
    is_id,
    list_at,
    records,
    stream,
    time_of,
)
from muster.sources._discourse_groups import memberships
from muster.sources._discourse_reports import signup_rows, signups
from muster.sources._discourse_rows import REGULAR, member_count
from muster.sources._discourse_rows import rows as rows_of
from muster.sources._discourse_seen import (
    Fetch,
    again,
    channel,
    is_inside,
    known,
    note,
    post_item,
    solver,
    user_item,
)
from muster.sources._http import Api, Http
from muster.sources._paging import walk
from muster.sources._text import tidy

__all__ = ["Options", "check", "connect", "pages", "rows"]

# `before` is inclusive or exclusive and spans 50 ids or 50 posts, depending on the version:
# windows of 49 ids lose nothing on any of them.
WINDOW = 49
OVERLAP = 2  # windows: an id may become visible after a higher one
RECENT, LATE = 3 * DAY, 90 * DAY
CHECK_EVERY = 7 * DAY
PER_PAGE = 50  # items, roughly, after which a cursor is offered
EARLY_WAIT = 10.0  # a 429 of the web server before the forum has no hint


class Options(Source):
    """What a forum has beside what every source has."""

    platform: Literal["discourse"]
    base_url: Annotated[
        BaseUrl, Field(description="the forum's address: https://forum.example.org")
    ]
    username: Annotated[str, Field(description="user whose rights the key uses")] = "system"


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The connection; without a key it reads what anybody may read."""
    headers = {"Api-Key": secret, "Api-Username": options.username if secret else None}
    return Api(http, options.base_url, headers, name=options.name, wait_of=_wait)


def _wait(answer: Answer) -> float | None:
    extras = answer.body.get("extras") if isinstance(answer.body, dict) else None
    asked = extras.get("wait_seconds") if isinstance(extras, dict) else None
    if answer.status == 429 and isinstance(asked, int | float):
        return float(asked)
    is_early = answer.status == 429 and answer.body is None
    return asked_wait(answer) or (EARLY_WAIT if is_early else None)


def check(api: Api, options: Options) -> str:
    """Which forum answers, and whether the list of members may be read."""
    about = api.get("/about.json").body
    told = about.get("about") if isinstance(about, dict) else None
    title = told.get("title") if isinstance(told, dict) else None
    try:
        _members_page(api)
    except Rejected as refused:
        may = f"but not its members ({refused.status})"
    else:
        may = "and its members"
    return f"reads {tidy(str(title or options.base_url))} {may}"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found."""
    return (f"{(options.base_url or '').rstrip('/')}/u/{handle}",)


# ---- reading: what is new ----------------------------------------------------------------------


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Everything new in the window; see this module's docstring for the order and the reasons."""
    fetch = _begin(api, window)
    fetch.channels = _channels(api)
    fetch.groups = memberships(api, window.groups, window.options.name)
    yield fetch.page(_audience(fetch))
    yield from _posts(fetch)
    yield from _topics(fetch)
    if window.until is None:
        yield from _check(fetch)
        yield from _history(fetch)
        yield from _members(fetch)
    yield Page((), _finished(fetch))


def _begin(api: Api, window: Window) -> Fetch:
    """Goes on with an unfinished fetch of the same window, else starts a new one."""
    kept = {key: value for key, value in window.cursor.items() if key != "run"}
    since = window.since.isoformat() if window.since else None
    run = dict(window.cursor.get("run") or {})
    is_backfill = since is not None and not _is_configured(window)
    if not run or (is_backfill and run["since"] != since):
        run = {"started_at": window.now.isoformat(), "since": since}
        if not is_backfill and "post" in kept:
            run["post"] = kept["post"] - OVERLAP * WINDOW
    return Fetch(api, window, kept, run)


def _is_configured(window: Window) -> bool:
    """Whether ``since`` is only the settings' lower bound, not the wish for a backfill."""
    asked, since = window.options.since, window.since
    if asked is None or since is None:
        return False
    return abs(datetime.combine(asked, time(), UTC) - since) <= DAY


def _finished(fetch: Fetch) -> dict[str, Any]:
    kept, run = fetch.kept, fetch.run
    kept = {**kept, "post": max(kept.get("post", 0), run.get("post", 0))}
    if fetch.window.until is not None:
        return kept  # what came after is still to be read
    checked_at = run["started_at"] if _is_check_due(fetch) else kept["checked_at"]
    return {**kept, **run.get("told", {}), "synced_at": run["started_at"], "checked_at": checked_at,
            "members_on": fetch.window.now.date().isoformat()}  # fmt: skip


def _channels(api: Api) -> dict[int, str]:
    found = granted(api, "/site.json")
    categories = records(found.body, "categories") if found else []
    return {
        one["id"]: tidy(one["name"])
        for one in categories
        if is_id(one.get("id")) and isinstance(one.get("name"), str)
    }


def _audience(fetch: Fetch) -> list[Item]:
    about = fetch.api.get("/about.json")
    with suppress(KeyError, TypeError, ValueError):  # its mapping says what is wrong
        fetch.count = member_count(about.body)
    return [Item("about", about.body, about.seen_at)]


def _posts(fetch: Fetch) -> Iterator[Page]:
    """Posts upwards by id, from where the last fetch ended to the newest there is now."""
    newest = _newest(fetch)
    since = datetime.fromisoformat(fetch.run["since"]) if fetch.run["since"] else None
    if "post" not in fetch.run:
        fetch.run["post"] = _start(fetch, since, newest) if since else 0
    for number in range(max(fetch.run["post"], 0) // WINDOW, newest // WINDOW + 1):
        answer, found = _window(fetch.api, number)
        end = min(number * WINDOW + WINDOW - 1, newest)
        yield fetch.page(_new(fetch, found, answer.seen_at), post=end)
        if found and fetch.window.until and _is_past(found, fetch.window.until):
            return


def _newest(fetch: Fetch) -> int:
    """The newest post's id; by way of the newest topic where the newest posts are not public."""
    posts = records(fetch.api.get("/posts.json").body, "latest_posts")
    if ids := [post["id"] for post in posts if is_id(post.get("id"))]:
        return max(ids)
    topics = records(_list(fetch.api, 0).body, "topic_list", "topics")
    newest = next((topic["id"] for topic in topics if is_id(topic.get("id"))), None)
    found = granted(fetch.api, f"/t/{newest}.json") if newest else None
    return max(stream(found.body) or [0]) if found else 0


def _window(api: Api, number: int) -> tuple[Answer, list[Any]]:
    """The posts with ids of the grid's window; servers that ignore the window give others too."""
    answer = api.get("/posts.json", {"before": (number + 1) * WINDOW})
    if not (isinstance(answer.body, dict) and "latest_posts" in answer.body):
        raise Unavailable(f"{api.name}: /posts.json answers with no list of posts")
    found = list_at(answer.body, "latest_posts")
    ids = range(number * WINDOW, (number + 1) * WINDOW)
    return answer, [post for post in found if id_of(post) is None or id_of(post) in ids]


def _start(fetch: Fetch, since: datetime, newest: int) -> int:
    """An id below the first post since then, by bisection over the windows."""
    low, high = 0, newest // WINDOW + 1
    while high - low > 1:
        middle = (low + high) // 2
        _, found = _window(fetch.api, middle)
        times = [at for post in found if (at := time_of(post, "created_at"))]
        if times and max(times) < since:
            low = middle
        else:
            high = middle
    return low * WINDOW


def _new(fetch: Fetch, posts: Sequence[Any], seen_at: datetime) -> list[Item]:
    """Items of new posts inside the window."""
    since, until = fetch.run["since"], fetch.window.until
    first = datetime.fromisoformat(since) if since else None
    note(fetch, posts)
    for post in posts if fetch.instant("synced_at") else ():
        if id_of(post) and is_id(post.get("topic_id")) and post.get("post_type") == REGULAR:
            fetch.read.setdefault(post["topic_id"], set()).add(str(post["id"]))
    if first or until:
        posts = [post for post in posts if is_inside(time_of(post, "created_at"), first, until)]
    return [post_item(fetch, post, seen_at) for post in posts]


def _is_past(posts: Sequence[Any], until: datetime) -> bool:
    return all((at := time_of(post, "created_at")) and at >= until for post in posts)


# ---- reading: what changed ---------------------------------------------------------------------


def _topics(fetch: Fetch) -> Iterator[Page]:
    """Topics newest activity first; those of the last days with their posts read again."""
    synced_at, oldest = fetch.instant("synced_at"), _oldest_activity(fetch)
    number, done = fetch.run.get("topics", [0, []])
    steps = walk(
        lambda page: _list(fetch.api, page or 0),
        lambda answer: (records(answer.body, "topic_list", "topics"), _next_page(answer)),
        start=number or None,
        is_old=lambda topic: (
            oldest is not None and (time_of(topic, "bumped_at") or oldest) < oldest
        ),
    )
    for step in steps:
        items: list[Item] = []
        for topic in (topic for topic in step.items if topic.get("id") not in done):
            if _is_changed(fetch, topic, synced_at):
                items += again(fetch, topic["id"])
            items += _topic_item(fetch, topic, step.answer.seen_at)
            done = [*done, topic.get("id")]
            if len(items) >= PER_PAGE:
                yield fetch.page(items, topics=[number, done])
                items = []
        number, done = (number, done) if step.token is None else (step.token, [])
        yield fetch.page(items, topics=[number, done])


def _oldest_activity(fetch: Fetch) -> datetime | None:
    synced_at, since = fetch.instant("synced_at"), fetch.run["since"]
    if since and not (synced_at and _is_configured(fetch.window)):
        return datetime.fromisoformat(since)
    if synced_at is None:
        return None
    late = fetch.window.now - LATE
    return min(synced_at - RECENT, late) if _is_check_due(fetch) else synced_at - RECENT


def _list(api: Api, page: int) -> Answer:
    return api.get("/latest.json", {"order": "activity", "per_page": 100, "page": page or None})


def _next_page(answer: Answer) -> int | None:
    topics = answer.body.get("topic_list") if isinstance(answer.body, dict) else None
    more = topics.get("more_topics_url") if isinstance(topics, dict) else None
    page = parse_qs(parted(more).query).get("page", [""])[0]
    return int(page) if page.isdecimal() else None


def _is_changed(fetch: Fetch, topic: Mapping[str, Any], synced_at: datetime | None) -> bool:
    """Bumped lately, unless all its posts were just read and none that is known was missing."""
    at, id_ = time_of(topic, "bumped_at"), topic.get("id")
    if synced_at is None or at is None or not is_id(id_) or fetch.window.until:
        return False
    read = fetch.read.get(id_, set())
    is_whole = topic.get("posts_count") == len(read)
    is_missing = any(one.message_id not in read for one in known(fetch).get(str(id_), ()))
    return at >= synced_at - RECENT and (is_missing or not is_whole)


def _topic_item(fetch: Fetch, topic: Mapping[str, Any], seen_at: datetime) -> list[Item]:
    until = fetch.window.until
    if not is_inside(time_of(topic, "created_at"), None, until):
        return []
    context = {"channel": channel(fetch, topic.get("category_id"))}
    if topic.get("has_accepted_answer") and is_id(topic.get("id")):
        context["solved_by"] = solver(fetch, topic["id"])
    return [Item("topic", topic, seen_at, context)]


def _is_check_due(fetch: Fetch) -> bool:
    last = fetch.instant("checked_at")
    return last is None or fetch.window.now - last >= CHECK_EVERY


def _check(fetch: Fetch) -> Iterator[Page]:
    """Once a week, every topic with a message of the last 30 days; the first fetch has read all."""
    if fetch.instant("checked_at") is None or not _is_check_due(fetch):
        return
    reached = fetch.run.get("checked", "")
    for topic in sorted(known(fetch)):
        if topic > reached and topic not in fetch.reread:
            yield fetch.page(again(fetch, topic), checked=topic)


def _history(fetch: Fetch) -> Iterator[Page]:
    """Once a day, how many signed up on each day, where the key may read reports."""
    if not _is_new_day(fetch) or fetch.count is None:
        return
    items, told = signups(fetch, fetch.count)
    yield fetch.page(items, told=told)


def _is_new_day(fetch: Fetch) -> bool:
    return bool(fetch.kept.get("members_on") != fetch.window.now.date().isoformat())


def _members(fetch: Fetch) -> Iterator[Page]:
    """Once a day, all members, where the key may list them; pages count from 0 or from 1."""
    if not _is_new_day(fetch):
        return
    number = 0

    def ask(page: int | None) -> Answer:
        nonlocal number
        number = page or 0
        return _members_page(fetch.api, page)

    def read(answer: Answer) -> tuple[Sequence[Any], int | None]:
        users = list_at(answer.body)
        return users, number + 1 if users else None

    try:
        for step in walk(ask, read, start=fetch.run.get("members_page") or None):
            items = [user_item(fetch, user, step.answer.seen_at) for user in step.items]
            yield fetch.page(items, members_page=number)
    except Rejected as refused:
        if not is_hidden(refused):
            raise


def _members_page(api: Api, page: int | None = None) -> Answer:
    order = {"order": "created", "asc": True, "page": page}
    return api.get("/admin/users/list/active.json", order)


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The rows an item stands for."""
    return signup_rows(item, options) if item.stream == "signups" else rows_of(item, options)
