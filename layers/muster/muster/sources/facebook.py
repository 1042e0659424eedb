"""Facebook: a page's posts, those of others on it and about it, comments, reviews, followers.

Credentials: a token with pages_read_engagement, pages_read_user_content and read_insights. Make a
system user at https://business.facebook.com (Settings → Users → System users), give it the page
and an app, and generate a token with these permissions there: it does not expire. A user's
long-lived token (60 days) and a page's own do as well. If the app demands proofs, the secret is
``{"access_token": …, "app_secret": …}``. ``account`` is the page's name or id.

Limits: shares of hourly limits that grow with the page; at 75 % requests are spaced out. Posts of
the last 30 days (``watched``) are listed each time, and comments read where their number has
changed; likes and deletions are looked at on days 1, 3, 7 and 30. Two years of followers.

Verified: recorded posts, comments, pages and messages of python-facebook; field names against
Meta's own library for v26.0; not against a live page.

A comment's author is told only to those who may know it; the message is kept without. Meta tells
no edits of comments, and of posts only together with new comments, so ``edited_at`` stays empty
and the text is the newest. A known message that does not exist any more is a deletion. A
recommendation is a review with 1 of 1, its opposite one with 0 of 1; older ones have stars; one
that is listed no more within ``watched`` was taken back. Days of followers are Pacific days.
Private messages (``direct: true``, permission pages_messaging) are read only if asked for; Meta
keeps the last 20 of a conversation readable.

Meta's terms: what its author deletes is deleted here too, as told above; whoever asks to be
forgotten is erased by ``muster erase``.

Unverified: that what one may no longer see answers differently from what is gone; the values of
page_follows_country and the daily gains; that ``next`` of a feed holds one of the known tokens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.errors import Rejected
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import Duration
from muster.sources import Window, _facebook_rows, _meta_posts, _watched
from muster.sources import _meta as meta
from muster.sources import _reviews as _reviewed
from muster.sources._answer import Answer
from muster.sources._days import Plan, spans
from muster.sources._downward import gone_rows
from muster.sources._http import Http
from muster.sources._newest import (
    OPEN,
    State,
    Stream,
    begin,
    finish,
    follow,
    given,
    mapped,
    page,
    recheck,
)
from muster.sources._watched import place_in, within

DAYS = Plan(recent=1, settling=3, history=720, most=90, behind=1, reach=720)
PERMISSIONS = ("pages_read_engagement", "pages_read_user_content", "read_insights")
ACCOUNT = "id,name,username,link,fan_count,followers_count"
POST = (
    "id,created_time,message,from{id,name},permalink_url,shares,"
    "reactions.summary(total_count).limit(0),comments.filter(stream).summary(total_count).limit(0)"
)
COMMENT = "id,created_time,message,from{id,name},parent{id},like_count,comment_count,permalink_url"
MESSAGE = "id,created_time,message,from{id,name}"
REVIEW = "created_time,has_rating,rating,recommendation_type,review_text,reviewer,open_graph_story"
DAILY = ("page_follows", "page_daily_follows_unique", "page_daily_unfollows_unique")
BY_COUNTRY = "page_follows_country"
VIEWS = "post_media_view"
WRITTEN = _meta_posts.by("created_time")
_log = logging.getLogger(__name__)


class Options(meta.MetaSource):
    """What Facebook needs beyond what every source has."""

    platform: Literal["facebook"]
    account: Annotated[str, Field(description="our page's name or id")]
    watched: Annotated[
        Duration, Field(description="how long new comments are looked for under a post")
    ] = timedelta(days=30)
    reviews: Annotated[bool, Field(description="read recommendations of the page")] = True
    direct: Annotated[bool, Field(description="read private messages to the page")] = False


def connect(options: Options, secret: str | None, http: Http) -> meta.Page:
    """The client, signed in as the page."""
    return meta.Page(options, secret, http)


def check(api: meta.Page, options: Options) -> str:
    """Looks the page and the token's permissions up."""
    told = api.get(f"/{api.id}", {"fields": ACCOUNT}).body
    more = ("pages_messaging",) if options.direct else ()
    rest = meta.permitted(api.user, *PERMISSIONS, *more)
    followers = f"{told['followers_count']:,} followers"
    return f"reads Facebook as {told['name']} ({api.id}), {followers}{rest}"


def pages(api: meta.Page, window: Window) -> Iterator[Page]:
    """The page, its followers, posts with their comments, mentions, known messages, reviews."""
    state = begin(window)
    yield from _account(api, window, state)
    yield from _followers(api, window, state)
    yield from _comments(api, window, state)  # those a killed run left
    yield from _posts(api, window, state, "feed")
    yield from _posts(api, window, state, "tagged")
    for batch in recheck(state, window, _meta_posts.AT_ONCE):
        yield page(state, _looked_up(api, window, state, batch))
    if window.options.direct:
        yield from _meta_posts.talks(api, window, state, "messenger", MESSAGE, api.id)
    if window.options.reviews:
        yield from _reviews_if_any(api, window, state)
    _watched.forget(state, window)
    yield finish(state)


def _account(api: meta.Page, window: Window, state: State) -> Iterator[Page]:
    """The page itself once a UTC day."""
    today = str(window.now.astimezone(UTC).date())
    if state.get("account") != today:
        answer = api.get(f"/{api.id}", {"fields": ACCOUNT})
        state["account"] = today
        yield page(state, [Item("account", answer.body, answer.seen_at)])


def _followers(api: meta.Page, window: Window, state: State) -> Iterator[Page]:
    """Followers of each past day."""
    for first, last in spans(state, window, meta.PACIFIC, DAYS):
        asked = {"period": "day", "since": str(first), "until": str(last + timedelta(days=1))}
        found = _insights(api, {**asked, "metric": ",".join(DAILY)}, DAILY)
        found += _insights(api, {**asked, "metric": BY_COUNTRY})
        yield page(state, [
            Item("followers", body, answer.seen_at, {"us": api.id, "ends": ends})
            for answer in found[:1]
            for ends, body in _facebook_rows.by_day(one.body for one in found).items()
        ])  # fmt: skip


def _insights(
    api: meta.Page, asked: Mapping[str, Any], metrics: Sequence[str] = ()
) -> list[Answer]:
    """Daily figures; as one unknown metric spoils the whole request, then one after the other."""
    try:
        return [api.get(f"/{api.id}/insights", asked)]
    except Rejected as refused:
        if meta.error_of(refused.body).get("code") not in (100, 3001, *meta.FORBIDDEN):
            raise
    # What is left can only be the newer metrics beside the followers themselves.
    return _insights(api, {**asked, "metric": metrics[0]}) if len(metrics) > 1 else []


def _posts(api: meta.Page, window: Window, state: State, name: str) -> Iterator[Page]:
    """A list of posts; below each page of it the comments of those that have new ones."""
    stream = _meta_posts.stream(
        api, window, name, f"/{api.id}/{name}", {"fields": POST}, WRITTEN, window.options.watched
    )
    for step in follow(state, stream, window):
        readable = [one for one in step.items if place_in(WRITTEN, one)]
        if name == "feed":
            _watched.notice(state, window, map(_facebook_rows.noticed, readable))
        ours = [one["id"] for one in readable if _facebook_rows.is_ours(one, api.id)]
        seen = _meta_posts.views(api, state, window, ours, VIEWS)
        inside = within(window, WRITTEN, step.items)
        yield page(state, [_post(api, one, step.answer.seen_at, seen) for one in inside])
        yield from _comments(api, window, state)


def _post(api: meta.Page, body: Any, seen_at: Any, seen: Mapping[str, int | None]) -> Item:
    views = seen.get(str(body.get("id"))) if isinstance(body, Mapping) else None
    return Item("post", meta.bare(body), seen_at, {"us": api.id, "views": views})


def _comments(api: meta.Page, window: Window, state: State) -> Iterator[Page]:
    """The comments of posts that have new ones, replies to comments among them."""
    asked = {"fields": COMMENT, "filter": "stream", "order": "reverse_chronological"}

    def stream(post: str) -> Stream:
        return _meta_posts.stream(
            api, window, f"comments:{post}", f"/{post}/comments", asked, WRITTEN,
            _watched.OVERLAP,
        )  # fmt: skip

    def items(post: str, answer: Answer) -> Iterable[Item]:
        found = within(window, WRITTEN, meta.listed(answer)[0])
        return (_comment(api, one, answer.seen_at, post) for one in found)

    yield from _watched.comments(state, window, stream, items, meta.is_missing)


def _comment(api: meta.Page, body: Any, seen_at: Any, post: str) -> Item:
    return Item("comment", meta.bare(body), seen_at, {"us": api.id, "post": post})


def _looked_up(
    api: meta.Page, window: Window, state: State, batch: Sequence[KnownMessage]
) -> list[Item]:
    """Known posts and comments of our page as they are now; those that do not exist are gone."""
    ours = [one for one in batch if one.thread_id.startswith(f"{api.id}_")]
    posts = [one for one in ours if one.message_id == one.thread_id]
    below = {one.message_id: one for one in ours if one.message_id != one.thread_id}
    found, items = _meta_posts.looked_up(api, posts, {"fields": POST}, window.now)
    own = [one for one, body in found.items() if _facebook_rows.is_ours(body, api.id)]
    seen = _meta_posts.views(api, state, window, own, VIEWS)
    items += [_post(api, body, window.now, seen) for body in found.values()]
    told, gone = _meta_posts.looked_up(api, list(below.values()), {"fields": COMMENT}, window.now)
    items += [_comment(api, body, window.now, below[one].thread_id) for one, body in told.items()]
    return items + gone


def _reviews_if_any(api: meta.Page, window: Window, state: State) -> Iterator[Page]:
    """Recommendations; a page that has none to give costs nothing but a warning."""
    try:
        yield from _reviews(api, window, state)
    except Rejected as refused:
        if meta.error_of(refused.body).get("code") not in (3, 12, 100, *meta.FORBIDDEN):
            raise
        state["streams"].pop("reviews", None)
        _log.warning("%s (set reviews: false if the page has none)", refused)


def _reviews(api: meta.Page, window: Window, state: State) -> Iterator[Page]:
    """Recommendations of the page, and which of the young ones are not listed any more."""
    place = _facebook_rows.place_of
    listed = _meta_posts.stream(
        api, window, "reviews", f"/{api.id}/ratings", {"fields": REVIEW}, place,
        window.options.watched,
    )  # fmt: skip
    is_whole = given(window) == OPEN and "walk" not in state["streams"].get("reviews", {})
    seen: set[str] = set()
    for step in follow(state, listed, window):
        placed = [place_in(place, one) for one in step.items]
        is_whole = is_whole and all(placed)
        seen.update(at[1] for at in placed if at)
        inside = within(window, place, step.items)
        yield page(state, [Item("review", meta.bare(one), step.answer.seen_at) for one in inside])
    if is_whole and seen:  # An empty list may be a page that shows none.
        yield page(state, _taken_back(window, seen))


def _taken_back(window: Window, seen: set[str]) -> list[Item]:
    """Known reviews that are young enough to be listed each time, and are not."""
    oldest = window.now - window.options.watched
    young = (one for one in window.reviews() if one.deleted_at is None and one.created_at >= oldest)
    missing = [one for one in young if one.review_id not in seen]
    return [replace(_reviewed.gone(one, window.now), stream="taken back") for one in missing]


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, member, audience, review or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "account": _facebook_rows.account_rows,
    "followers": _facebook_rows.follower_rows,
    "post": _facebook_rows.post_rows,
    "comment": _facebook_rows.comment_rows,
    "direct": _facebook_rows.direct_rows,
    "review": _facebook_rows.review_rows,
    "taken back": _reviewed.gone_rows,
    "gone": gone_rows,
}
