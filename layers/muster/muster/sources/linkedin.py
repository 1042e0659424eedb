"""LinkedIn: an organisation's posts, the comments under them, posts that mention it, followers.

Credentials: a token with r_organization_social and rw_organization_admin, of an administrator of
the page. Make an app at https://www.linkedin.com/developers/apps, link it to the page, apply for
the Community Management API, and sign in. A token lives 60 days; approved apps get refresh
tokens (``{"client_id", "client_secret", "refresh_token"}``, a year). ``account`` is the
organisation's number.

Limits: a number of calls a UTC day that LinkedIn tells in the app's page only; a 429 is waited
for until midnight. Posts of the last 30 days (``watched``) are listed each time, and comments
read where their number has changed; others are looked at on days 1, 3, 7 and 30. Followers
gained a day reach back a year.

Verified: names of fields and addresses against two published connectors and answers published by
others; not against a live page.

LinkedIn's terms let others' profile data be kept for 24 hours and what they write for 48, unless
your agreement says more. So of others' comments and posts neither author nor text is stored, not
even in raw: only ids, times, what they answer, and counts. ``keep_members: true`` keeps them; set
it only if you may. Comments of the page itself are kept whole. Followers of past days are counted
back from the first measured total by the daily gains, which LinkedIn corrects later and which do
not add up to it. A known post or comment that does not exist any more is a deletion; mentions are
not looked at again.

Unverified: the hours of the terms; that posts may be sorted by CREATED and need no
X-RestLi-Method; that comments tell of replies by commentsSummary; the gains' sign for losses; that
a mention (told of for 60 days) is written when it was last modified, and names the post that
mentions us as generatedActivity.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from muster.errors import Rejected
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import Duration
from muster.sources import Window, _linkedin_rows, _watched
from muster.sources._answer import Answer
from muster.sources._days import ONE, Plan, spans
from muster.sources._downward import gone, gone_rows
from muster.sources._http import Api, Http
from muster.sources._linkedin import (
    LinkedInSource,
    address,
    client,
    encoded,
    in_ms,
    listed,
    named,
    several,
    urn,
)
from muster.sources._linkedin_rows import placed_comment, placed_mention, placed_post
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
from muster.sources._paging import walk
from muster.sources._watched import place_in, within

SCOPES = ("r_organization_social", "rw_organization_admin")
DAYS = Plan(recent=1, settling=7, history=360, most=360, behind=3, reach=360)
UTC_ZONE = ZoneInfo("UTC")
REMEMBERED = timedelta(days=14)  # measured totals, for as long as gains are read again
STATISTICS = 20  # posts one request may ask the figures of
AT_ONCE = 10
TOLD = timedelta(days=60)  # how long LinkedIn tells of a mention
MENTIONS_KNOWN = timedelta(days=31)  # for as long as known posts are looked at again
_log = logging.getLogger(__name__)


class Options(LinkedInSource):
    """What LinkedIn needs beyond what every source has."""

    platform: Literal["linkedin"]
    account: Annotated[
        str, StringConstraints(pattern=r"^\d+$"), Field(description="the organisation's number")
    ]
    watched: Annotated[
        Duration, Field(description="how long new comments are looked for under a post")
    ] = timedelta(days=30)
    keep_members: Annotated[
        bool, Field(description="keep others' names and texts, which takes LinkedIn's consent")
    ] = False


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    return client(options, secret, http)


def check(api: Api, options: Options) -> str:
    """Looks the organisation, its followers and its newest post up."""
    try:
        told = api.get(f"/organizations/{options.account}").body
        size = api.get(_followers(options)).body["firstDegreeSize"]
        api.get(_posts_address(options, 1, 0))
    except Rejected as refused:
        raise named(refused, api, SCOPES) from None
    return f"reads LinkedIn as {told.get('localizedName')} ({told['id']}), {size:,} followers"


def _followers(options: Options) -> str:
    who = urn("organization", options.account)
    return address(f"/networkSizes/{who}", edgeType="COMPANY_FOLLOWED_BY_MEMBER")


def _posts_address(options: Options, count: int, start: int) -> str:
    author = urn("organization", options.account)
    return address("/posts", author=author, q="author", count=str(count), start=str(start),
                   sortBy="CREATED")  # fmt: skip


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Posts with their comments, known messages, the organisation and its followers."""
    state = begin(window)
    yield from _comments(api, window, state)  # those a killed run left
    yield from _posts(api, window, state)
    for batch in recheck(state, window, AT_ONCE):
        ours = [one for one in batch if one.message_id not in state.get("mentions", {})]
        yield page(state, list(_looked_up(api, window, ours)))
    yield from _account(api, window, state)  # last: another scope, which may be missing
    yield from _gains(api, window, state)
    yield from _mentions(api, window, state)
    _watched.forget(state, window)
    yield finish(state)


def _account(api: Api, window: Window, state: State) -> Iterator[Page]:
    """The organisation itself and its followers, once a UTC day."""
    today = window.now.astimezone(UTC).date()
    known = state.setdefault("followers", {})
    if str(today) in known:
        return
    told = api.get(f"/organizations/{window.options.account}")
    size = api.get(_followers(window.options))
    if isinstance(size.body.get("firstDegreeSize"), int):
        state.setdefault("first", [str(today), size.body["firstDegreeSize"]])
    known[str(today)] = size.body.get("firstDegreeSize")
    oldest = str(today - REMEMBERED)
    state["followers"] = {day: count for day, count in known.items() if day >= oldest}
    yield page(state, [
        Item("account", told.body, told.seen_at),
        Item("followers", size.body, size.seen_at, {"us": window.options.account}),
    ])  # fmt: skip


def _gains(api: Api, window: Window, state: State) -> Iterator[Page]:
    """Followers gained each day, beside the totals that were measured."""
    for first, last in spans(state, window, UTC_ZONE, DAYS):
        items: list[Item] = []
        told = {"us": window.options.account, "totals": state.get("followers", {}),
                "first": state.get("first")}  # fmt: skip
        try:
            answer = api.get(_gains_address(window.options, first, last))
            items.append(Item("gains", answer.body, answer.seen_at, told))
        except Rejected as refused:
            if refused.status != 400:  # a range LinkedIn does not take, of a young page
                raise
            _log.warning("%s: no gains of %s to %s: %s", api.name, first, last, refused)
        yield page(state, items)


def _gains_address(options: Options, first: date, last: date) -> str:
    bounds = f"start:{_midnight(first)},end:{_midnight(last + ONE)}"
    return address(
        "/organizationalEntityFollowerStatistics",
        q="organizationalEntity",
        organizationalEntity=urn("organization", options.account),
        timeIntervals=f"(timeRange:({bounds}),timeGranularityType:DAY)",
    )


def _midnight(day: date) -> int:
    return in_ms(datetime.combine(day, time(), UTC))


def _mentions(api: Api, window: Window, state: State) -> Iterator[Page]:
    """Others' posts that mention us; those from before the last time came then."""
    us, end = window.options.account, window.until or window.now
    start = max(start_of(window) or window.now - TOLD, window.now - TOLD)
    if given(window) == OPEN and "mentioned" in state:
        start = max(start, instant(state["mentioned"]) - ONE)
    if start >= end:
        return
    bounds = f"(start:{in_ms(start)},end:{in_ms(end)})"

    def ask(token: str | None) -> Answer:
        return api.get(_mentions_address(window.options, bounds, token or "0"))

    known, oldest = state.setdefault("mentions", {}), stamp(window.now - MENTIONS_KNOWN)
    for step in walk(ask, listed):
        others = [one for one in step.items if not _linkedin_rows.is_by(one, us)]
        inside = within(window, placed_mention, others)
        for when, name in (at for one in inside if (at := place_in(placed_mention, one))):
            known[name] = min(when, known.get(name, when))
        seen_at = step.answer.seen_at
        yield page(state, [_mention(window.options, one, seen_at, known) for one in inside])
    state["mentions"] = {one: at for one, at in known.items() if at >= oldest}
    if window.until is None:
        state["mentioned"] = stamp(window.now)


def _mention(options: Options, body: Any, seen_at: datetime, known: Mapping[str, str]) -> Item:
    """A notification, and when it was first told: it bears the date of its last change."""
    at = place_in(placed_mention, body)
    stored = _linkedin_rows.storable_mention(body, options.keep_members)
    return Item("mention", stored, seen_at, {"first": known[at[1]]} if at else None)


def _mentions_address(options: Options, bounds: str, start: str) -> str:
    return address(
        "/organizationalEntityNotifications", q="criteria", actions="List(SHARE_MENTION)",
        organizationalEntity=urn("organization", options.account), timeRange=bounds,
        count="100", start=start,
    )  # fmt: skip


def _posts(api: Api, window: Window, state: State) -> Iterator[Page]:
    """Our posts with their figures; below each page of them the comments of those with new ones."""

    def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
        return api.get(_posts_address(window.options, 100, int(token or 0)))

    asked = _watched.bounds(window, window.options.watched)
    stream = Stream("posts", ask, listed, placed_post, asked, _watched.older(placed_post))
    for step in follow(state, stream, window):
        placed = [(at, one) for one in step.items if (at := place_in(placed_post, one))]
        figures = _figures(api, window.options, [one["id"] for _, one in placed])
        counted = [
            (one["id"], at[0], _linkedin_rows.comments_in(figures.get(one["id"])))
            for at, one in placed
        ]
        _watched.notice(state, window, counted)
        inside = within(window, placed_post, step.items)
        yield page(state, [_post(one, step.answer.seen_at, figures) for one in inside])
        yield from _comments(api, window, state)


def _post(body: Any, seen_at: datetime, figures: Mapping[str, Any]) -> Item:
    told = figures.get(body["id"]) if place_in(placed_post, body) else None
    return Item("post", body, seen_at, {"figures": told})


def _figures(api: Api, options: Options, posts: Sequence[str]) -> dict[str, Any]:
    """What LinkedIn counted of each post; posts nobody saw are left out by it."""
    who = urn("organization", options.account)
    found: dict[str, Any] = {}
    for kind, name in (("shares", "share"), ("ugcPosts", "ugcPost")):
        urns = [one for one in posts if one.startswith(f"urn:li:{name}:")]
        for at in range(0, len(urns), STATISTICS):
            answer = api.get(address(
                "/organizationalEntityShareStatistics", q="organizationalEntity",
                organizationalEntity=who, **{kind: several(urns[at : at + STATISTICS])},
            ))  # fmt: skip
            told = (one for one in listed(answer)[0] if isinstance(one, Mapping))
            found.update((str(one.get(name)), one.get("totalShareStatistics")) for one in told)
    return found


def _comments(api: Api, window: Window, state: State) -> Iterator[Page]:
    """All comments of posts that have other ones than before, and the replies to them."""

    def stream(post: str) -> Stream:
        def ask(asked: Mapping[str, Any], token: str | None) -> Answer:
            return api.get(_comments_address(post, int(token or 0)))

        place: Callable[[Any], Place] = placed_comment
        return Stream(f"comments:{post}", ask, listed, place, _watched.bounds(window, ONE))

    def items(post: str, answer: Answer) -> Iterable[Item]:
        found = listed(answer)[0]
        yield from _kept(window, post, found, answer)
        for one in found:
            if _linkedin_rows.has_replies(one):
                yield from _replies(api, window, post, one)

    yield from _watched.comments(
        state, window, stream, items, lambda refused: refused.is_gone, is_whole=True
    )


def _comments_address(of: str, start: int) -> str:
    path = f"/socialActions/{encoded(of)}/comments"
    return address(path, count="100", start=str(start))


def _replies(api: Api, window: Window, post: str, comment: Mapping[str, Any]) -> Iterator[Item]:
    whole = str(comment["commentUrn"])
    for step in walk(lambda token: api.get(_comments_address(whole, int(token or 0))), listed):
        yield from _kept(window, post, step.items, step.answer)


def _kept(window: Window, post: str, found: Iterable[Any], answer: Answer) -> Iterator[Item]:
    """The comments of the window, as far as they may be stored."""
    options = window.options
    for one in within(window, placed_comment, found):
        body = _linkedin_rows.storable(one, options.account, options.keep_members)
        yield Item("comment", body, answer.seen_at, {"us": options.account, "post": post})


def _looked_up(api: Api, window: Window, batch: Sequence[KnownMessage]) -> Iterator[Item]:
    """Known posts and comments as they are now; those that are not found are gone."""
    posts: dict[str, Any] = {}
    for known in batch:
        is_post = known.message_id == known.thread_id
        try:
            answer = api.get(_one_address(known))
        except Rejected as refused:
            if refused.is_gone:
                yield gone(known, window.now)
            continue
        if is_post:
            posts[known.message_id] = answer
        else:
            yield from _kept(window, known.thread_id, [answer.body], answer)
    figures = _figures(api, window.options, list(posts))
    for answer in posts.values():
        yield _post(answer.body, answer.seen_at, figures)


def _one_address(known: KnownMessage) -> str:
    if known.message_id == known.thread_id:
        return f"/posts/{encoded(known.message_id)}"
    number = known.message_id.rpartition(",")[2].rstrip(")")
    return f"/socialActions/{encoded(known.thread_id)}/comments/{number}"


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, member, audience or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "account": _linkedin_rows.account_rows,
    "followers": _linkedin_rows.follower_rows,
    "gains": _linkedin_rows.gain_rows,
    "post": _linkedin_rows.post_rows,
    "comment": _linkedin_rows.comment_rows,
    "mention": _linkedin_rows.mention_rows,
    "gone": gone_rows,
}
