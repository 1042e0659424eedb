"""Instagram: our media and stories, comments and replies, media that tag us, followers.

Credentials: a token with instagram_basic, instagram_manage_comments, instagram_manage_insights
and pages_read_engagement. The Instagram account has to be a business or creator account that is
connected to a Facebook page; the page's name or id is ``account``. Make a system user at
https://business.facebook.com (Settings → Users → System users), give it the page and an app, and
generate a token with these permissions there: it does not expire. If the app demands proofs, the
secret is ``{"access_token": …, "app_secret": …}``.

Limits: calls a day that grow with the account's reach; at 75 % requests are spaced out. Media of
the last 30 days (``watched``) are listed each time, and comments read where their number has
changed; likes and deletions are looked at on days 1, 3, 7 and 30. No history of followers.

Verified: recorded media, comments and insights of python-facebook; field names against Meta's
own library for v26.0; not against a live account.

Members go by their username, which is all that tags and replies tell. Stories are there for a day:
fetch more often than that; that they are gone then is no deletion. A known comment or medium that
does not exist any more is one. Instagram tells no edits, so ``edited_at`` stays empty and the text
is the newest. Followers by country and new ones a day need 100 of them; who left is not told, so
``lost`` stays empty. Private messages (``direct: true``, permission instagram_manage_messages) are
read only if asked for.

Meta's terms: what its author deletes is deleted here too, as told above; whoever asks to be
forgotten is erased by ``muster erase``.

Unverified: that comments come newest first; that a comment's author is told as ``from``; that
what one may no longer see answers differently from what is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, KnownMessage, Page, Row
from muster.settings import Duration
from muster.sources import Window, _instagram_rows, _meta_posts, _watched
from muster.sources import _meta as meta
from muster.sources._answer import Answer
from muster.sources._downward import gone_rows
from muster.sources._http import Http
from muster.sources._newest import State, Stream, begin, finish, follow, mapped, page, recheck
from muster.sources._paging import walk
from muster.sources._watched import place_in, within

PERMISSIONS = (
    "instagram_basic", "instagram_manage_comments", "instagram_manage_insights",
    "pages_read_engagement",
)  # fmt: skip
ACCOUNT = "id,username,name,website,followers_count,media_count"
MEDIA = (
    "id,caption,media_type,media_product_type,permalink,timestamp,username,like_count,"
    "comments_count"
)
REPLY = "id,text,timestamp,username,from,like_count,parent_id"
COMMENT = f"{REPLY},media{{id,permalink}}"
COMMENTS = f"{COMMENT},replies.limit(50){{{REPLY}}}"
MESSAGE = "id,created_time,message,from{id,username}"
BY_COUNTRY = {
    "metric": "follower_demographics", "period": "lifetime", "metric_type": "total_value",
    "breakdown": "country",
}  # fmt: skip
NEW = {"metric": "follower_count", "period": "day"}
LATE = timedelta(days=3)  # how late the day's new followers may be told
VIEWS = "views"
WRITTEN = _meta_posts.by("timestamp")
SENT = _meta_posts.by("created_time")
REMEMBERED = timedelta(days=31)  # how long others' media and stories are known to be such


class Options(meta.MetaSource):
    """What Instagram needs beyond what every source has."""

    platform: Literal["instagram"]
    account: Annotated[
        str, Field(description="the Facebook page, name or id, that the account is connected to")
    ]
    watched: Annotated[
        Duration, Field(description="how long new comments are looked for under a medium")
    ] = timedelta(days=30)
    direct: Annotated[bool, Field(description="read private messages to the account")] = False


class Account(meta.Page):
    """The connection as the page, which knows the Instagram account's id and username."""

    def __init__(self, options: Options, secret: str | None, http: Http) -> None:
        super().__init__(options, secret, http, "id,instagram_business_account{id,username}")
        ours = self.told.get("instagram_business_account")
        if not ours:
            self.close()
            raise SourceFailed(
                f"{options.name}: no Instagram account is connected to the page "
                f"{options.account}: connect it in the page's settings (Linked accounts), and "
                "give the token the permission instagram_basic"
            )
        self.us = {"id": str(ours["id"]), "username": ours.get("username")}
        self.path = f"/{self.us['id']}"


def connect(options: Options, secret: str | None, http: Http) -> Account:
    """The signed-in client."""
    return Account(options, secret, http)


def check(api: Account, options: Options) -> str:
    """Looks the account and the token's permissions up."""
    told = api.get(api.path, {"fields": ACCOUNT}).body
    more = ("instagram_manage_messages",) if options.direct else ()
    rest = meta.permitted(api.user, *PERMISSIONS, *more)
    followers = f"{told['followers_count']:,} followers"
    return f"reads Instagram as @{told['username']} ({told['id']}), {followers}{rest}"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where an account's profile is found."""
    return (f"https://www.instagram.com/{handle}", f"https://instagram.com/{handle}")


def pages(api: Account, window: Window) -> Iterator[Page]:
    """The account, our media with their comments, media that tag us, known messages."""
    state = begin(window)
    yield from _account(api, window, state)
    yield from _comments(api, window, state)  # those a killed run left
    yield from _media(api, window, state)
    yield from _stories(api, window, state)
    yield from _tags(api, window, state)
    for batch in recheck(state, window, _meta_posts.AT_ONCE):
        yield page(state, _looked_up(api, window, state, batch))
    if window.options.direct:
        yield from _meta_posts.talks(api, window, state, "instagram", MESSAGE, api.us)
    _watched.forget(state, window)
    yield finish(state)


def _account(api: Account, window: Window, state: State) -> Iterator[Page]:
    """The account itself, its new followers and where they live, once a UTC day."""
    today = window.now.astimezone(UTC).date()
    known = state.setdefault("followers", {})
    if str(today) in known:
        return
    answer = api.get(api.path, {"fields": ACCOUNT})
    known[str(today)] = answer.body.get("followers_count")
    state["followers"] = {day: one for day, one in known.items() if day >= str(today - LATE)}
    items = [Item("account", answer.body, answer.seen_at)]
    bounds = {"since": str(today - LATE), "until": str(today)}
    totals = {"us": api.us, "totals": state["followers"]}
    items += _insights(api, "new", {**NEW, **bounds}, totals)
    items += _insights(api, "countries", BY_COUNTRY, {"us": api.us})
    yield page(state, items)


def _insights(
    api: Account, stream: str, asked: Mapping[str, Any], context: Mapping[str, Any]
) -> Iterator[Item]:
    """Figures of the account, where it has the followers and the token the right for them."""
    try:
        told = api.get(f"{api.path}/insights", asked)
    except Rejected as refused:
        if meta.error_of(refused.body).get("code") not in (100, *meta.FORBIDDEN):
            raise
    else:
        yield Item(stream, meta.bare(told.body), told.seen_at, context)


def _media(api: Account, window: Window, state: State) -> Iterator[Page]:
    """Our media; below each page of them the comments of those that have new ones."""
    stream = _meta_posts.stream(
        api, window, "media", f"{api.path}/media", {"fields": MEDIA}, WRITTEN,
        window.options.watched,
    )  # fmt: skip
    for step in follow(state, stream, window):
        readable = [one for one in step.items if place_in(WRITTEN, one)]
        _watched.notice(state, window, map(_instagram_rows.noticed, readable))
        ours = [one["id"] for one in readable]
        seen = _meta_posts.views(api, state, window, ours, VIEWS)
        inside = within(window, WRITTEN, step.items)
        yield page(state, [_medium(api, one, step.answer.seen_at, seen) for one in inside])
        yield from _comments(api, window, state)


def _stories(api: Account, window: Window, state: State) -> Iterator[Page]:
    """Our stories of the last day, each time with how often they were seen so far."""
    known, oldest = state.setdefault("stories", {}), window.now - REMEMBERED
    for step in walk(lambda token: api.get(f"{api.path}/stories", _asked(token)), meta.listed):
        inside = within(window, WRITTEN, step.items)
        told = {at[1]: at[0] for one in inside if (at := place_in(WRITTEN, one))}
        known.update(told)
        seen = _meta_posts.views(api, state, window, list(told), VIEWS)
        yield page(state, [_medium(api, one, step.answer.seen_at, seen) for one in inside])
    state["stories"] = {one: at for one, at in known.items() if at >= oldest.isoformat()}


def _asked(token: str | None) -> dict[str, Any]:
    return {"fields": MEDIA, "limit": 100, **meta.after(token)}


def _medium(api: Account, body: Any, seen_at: Any, seen: Mapping[str, int | None]) -> Item:
    views = seen.get(str(body.get("id"))) if isinstance(body, Mapping) else None
    return Item("media", meta.bare(body), seen_at, {"us": api.us, "views": views, "is_ours": True})


def _comments(api: Account, window: Window, state: State) -> Iterator[Page]:
    """All comments of media that have new ones: a new reply may stand under an old comment."""

    def stream(media: str) -> Stream:
        return _meta_posts.stream(
            api, window, f"comments:{media}", f"/{media}/comments",
            {"fields": COMMENTS, "limit": 50}, WRITTEN, timedelta(0),
        )  # fmt: skip

    def items(media: str, answer: Answer) -> Iterable[Item]:
        for one in meta.listed(answer)[0]:
            yield from _with_replies(api, window, media, one, answer)

    yield from _watched.comments(state, window, stream, items, meta.is_missing, is_whole=True)


def _with_replies(
    api: Account, window: Window, media: str, body: Any, answer: Answer
) -> Iterator[Item]:
    """A comment with its replies; by themselves those beyond the first fifty, and those of a
    comment from before the window."""
    context = {"us": api.us, "media": media}
    below = (body.get("replies") or {}) if isinstance(body, Mapping) else {}
    replies = within(window, WRITTEN, below.get("data") or ())
    is_inside = bool(within(window, WRITTEN, [body]))
    if is_inside:
        held = {"replies": {**below, "data": replies}} if below else {}
        yield Item(
            "comment", meta.bare({**body, **held} if held else body), answer.seen_at, context
        )
    more = list(_replies(api, body["id"])) if (below.get("paging") or {}).get("next") else []
    for one in (*within(window, WRITTEN, more), *(() if is_inside else replies)):
        above = {key: told for key, told in body.items() if key != "replies"}
        yield Item("comment", meta.bare(one), answer.seen_at, {**context, "above": above})


def _replies(api: Account, comment: str) -> Iterator[Any]:
    """All replies of a comment; the first fifty come again, which does no harm."""
    asked = {"fields": REPLY, "limit": 100}
    for step in walk(lambda token: api.get(f"/{comment}/replies", {**asked, **meta.after(token)}),
                     meta.listed):  # fmt: skip
        yield from step.items


def _tags(api: Account, window: Window, state: State) -> Iterator[Page]:
    """Others' media that tag us."""
    stream = _meta_posts.stream(
        api, window, "tags", f"{api.path}/tags", {"fields": MEDIA}, WRITTEN,
        window.options.watched,
    )  # fmt: skip
    known, oldest = state.setdefault("tags", {}), window.now - REMEMBERED
    for step in follow(state, stream, window):
        known.update((at[1], at[0]) for one in step.items if (at := place_in(WRITTEN, one)))
        inside = within(window, WRITTEN, step.items)
        context = {"us": api.us, "is_ours": False}
        yield page(
            state, [Item("media", meta.bare(one), step.answer.seen_at, context) for one in inside]
        )
    state["tags"] = {one: at for one, at in known.items() if at >= oldest.isoformat()}


def _looked_up(
    api: Account, window: Window, state: State, batch: Sequence[KnownMessage]
) -> list[Item]:
    """Known media and comments of ours as they are now; those that do not exist are gone."""
    others = state["tags"].keys() | state["stories"].keys()
    own = [one for one in batch if one.thread_id.isdecimal() and one.message_id not in others]
    media = [one for one in own if one.message_id == one.thread_id]
    below = {one.message_id: one.thread_id for one in own if one.message_id != one.thread_id}
    found, items = _meta_posts.looked_up(api, media, {"fields": MEDIA}, window.now)
    seen = _meta_posts.views(api, state, window, list(found), VIEWS)
    items += [_medium(api, body, window.now, seen) for body in found.values()]
    comments = [one for one in own if one.message_id in below]
    told, gone = _meta_posts.looked_up(api, comments, {"fields": COMMENT}, window.now)
    items += [
        Item("comment", body, window.now, {"us": api.us, "media": below[one]})
        for one, body in told.items()
    ]
    return items + gone


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, member, audience or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "account": _instagram_rows.account_rows,
    "new": _instagram_rows.new_rows,
    "countries": _instagram_rows.country_rows,
    "media": _instagram_rows.media_rows,
    "comment": _instagram_rows.comment_rows,
    "direct": _instagram_rows.direct_rows,
    "gone": gone_rows,
}
