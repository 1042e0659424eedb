"""YouTube: the videos of a channel, comments and replies under them, subscribers by day.

Credentials: an API key for what is public; for subscribers by day an OAuth client with a
``refresh_token`` of the channel's owner. Both are made at https://console.cloud.google.com → APIs
& Services (enable YouTube Data API v3 and YouTube Analytics API). The secret is the key itself, or
``{"client_id": …, "client_secret": …, "refresh_token": …}`` with the scopes
``youtube.force-ssl`` and ``yt-analytics.readonly``; with a ``"key"`` beside these, comments are
read by the key and the second scope is enough; ``memberships: true`` wants the owner's token with
``youtube.channel-memberships.creator`` and no key. Service accounts have no channel.

Limits: 10,000 units and 100 searches a day (``daily_units``, ``daily_searches``). A page is one
unit. Each of ``terms`` is searched for once a day; a search misses videos, and counts nothing.

Verified: every comment, video and channel of python-youtube's recordings, and Google's discovery
documents; not against Google itself.

A thread is a first comment and its replies. Every day the threads of the last 30 days are looked
through for more replies. What is stored is refreshed on days 1, 3, 7 and then every 25 days, since
YouTube wants it refreshed or deleted within 30; what is missing then is a deletion. Its number of
subscribers is rounded (three digits); those of earlier days are that number less what was gained
and lost since, in YouTube's days (Pacific time).

Unverified: that comments can be read by a key; 50 ids a call; how many days one report holds; how
many replies a thread brings along; the names of the reports' columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date
from typing import Annotated, Any, Literal

from pydantic import Field

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Deletion, Item, Page, Row
from muster.settings import Source
from muster.sources import Window, _youtube_rows
from muster.sources import _youtube_steps as steps
from muster.sources._answer import Answer
from muster.sources._downward import done_today, gone_rows, is_due_today
from muster.sources._gains import UNSETTLED, counted
from muster.sources._http import Http
from muster.sources._newest import begin, finish, instant, mapped, recheck, stamp, start_of
from muster.sources._youtube_api import Tube, open_tube
from muster.sources._youtube_steps import Fetch

IS_METERED = True  # a call costs units of the day
EVER = 20 * 365 * DAY


class Options(Source):
    """What YouTube needs beyond what every source has."""

    platform: Literal["youtube"]
    account: Annotated[str, Field(description="our channel: @handle or its id (UC…)")]
    daily_units: Annotated[int, Field(ge=10, description="units of the API to use a day")] = 9_000
    memberships: Annotated[
        bool, Field(description="the channel has paying members: read who they are, and count them")
    ] = False
    daily_searches: Annotated[int, Field(ge=0, description="searches to use a day")] = 50


def connect(options: Options, secret: str | None, http: Http) -> Tube:
    """The signed-in client, of videos and comments, and of reports if the secret allows them."""
    return open_tube(options.name, options.base_url, secret, http)


def check(api: Tube, options: Options) -> str:
    """Looks our channel up, and asks for a report if there may be any."""
    told = _read_channel(_channel(api, options), options)
    count = int((told.get("statistics") or {}).get("subscriberCount") or 0)
    may = "without reports of days: the secret is a key only"
    if api.reports:
        _report(api, options, told["id"], date(2026, 1, 1), date(2026, 1, 2))
        may = "and its reports of days"
    return f"reads {told['snippet']['title']} ({told['id']}), {count:,} subscribers, {may}"


def addresses(handle: str, member_id: str, options: Options) -> tuple[str, ...]:
    """Where a channel is found."""
    by_id = f"https://www.youtube.com/channel/{member_id}"
    return (by_id, f"https://www.youtube.com/@{handle.removeprefix('@')}")


def _channel(api: Tube, options: Options) -> Answer:
    by = "id" if _is_id(options.account) else "forHandle"
    return api.get("channels", {"part": "snippet,statistics", by: options.account})


def _is_id(account: str) -> bool:
    return account.startswith("UC") and len(account) == 24


def _read_channel(answer: Answer, options: Options) -> Mapping[str, Any]:
    """The channel of an answer; ``SourceFailed`` if there is none."""
    found = answer.body.get("items") if isinstance(answer.body, Mapping) else None
    if not (found and isinstance(found[0], Mapping) and isinstance(found[0].get("id"), str)):
        account = options.account
        raise SourceFailed(f"{options.name}: YouTube knows no channel {account!r}: check account")
    return dict(found[0])


def pages(api: Tube, window: Window) -> Iterator[Page]:
    """Channel, days, videos, comments, replies, known ones again, search terms."""
    state = begin(window)
    state.setdefault("due", [])  # threads whose replies are to be read, and from which page
    state.setdefault("threads", {})  # how many replies each young one had
    fetch = Fetch(api, window, state)
    yield from _daily(fetch)
    yield from steps.paying(fetch)
    yield from steps.videos(fetch)
    yield from steps.threads(fetch)
    for batch in recheck(state, window, steps.IDS, steps.is_due, EVER):
        yield fetch.page(steps.looked_up(fetch, batch))
        yield from steps.replies(fetch)
    for term in window.options.terms:
        yield from steps.search(fetch, term)
    oldest = stamp(window.now - steps.LATE - DAY)
    state["threads"] = {key: one for key, one in state["threads"].items() if one[1] >= oldest}
    yield finish(state)


def _daily(fetch: Fetch) -> Iterator[Page]:
    """Our channel once a UTC day, and the days that its reports have."""
    state, window = fetch.state, fetch.window
    if "us" in state and not is_due_today(state, window, "channel"):
        return
    answer = _channel(fetch.api, window.options)
    if not _is_id(window.options.account):
        state["us"] = _read_channel(answer, window.options)["id"]
    else:
        state["us"] = window.options.account
    items = [Item("channel", one, answer.seen_at) for one in answer.body.get("items") or ()]
    if fetch.api.reports and window.until is None and items and isinstance(items[0].body, Mapping):
        items += _days(fetch, items[0].body)
    done_today(state, window, "channel")
    yield fetch.page(items)


def _days(fetch: Fetch, told: Mapping[str, Any]) -> Iterator[Item]:
    """Subscribers gained and lost by day: the whole history first, then the last week again."""
    state, now = fetch.state, fetch.window.now
    count = (told.get("statistics") or {}).get("subscriberCount")
    began = (told.get("snippet") or {}).get("publishedAt")
    if count is None or began is None:
        return
    state["counted"] = counted(state.get("counted", {}), now.astimezone(UTC), int(count))
    first = start_of(fetch.window) or instant(began)
    if "reported" in state:
        first = now - UNSETTLED
    answer = _report(fetch.api, fetch.window.options, state["us"], first.date(), now.date())
    state["reported"] = str(now.date())
    yield fetch.item("days", answer.body, answer, counted=state["counted"], now=int(count))


def _report(api: Tube, options: Options, channel: str, first: date, last: date) -> Answer:
    """A table of days; a refusal names the missing scope."""
    assert api.reports
    asked = {
        "ids": f"channel=={channel}",
        "startDate": first.isoformat(),
        "endDate": last.isoformat(),
        "metrics": "subscribersGained,subscribersLost",
        "dimensions": "day",
        "sort": "day",
    }
    try:
        return api.reports.get("/v2/reports", asked)
    except Rejected as refused:
        if refused.status not in (401, 403):
            raise
        raise SourceFailed(
            f"{refused}; the token must be of the channel's owner, with scope yt-analytics.readonly"
        ) from None


def rows(item: Item, options: Options) -> Iterator[Row | Deletion]:
    """The message, thread, member, audience or deletion an item stands for."""
    yield from mapped(lambda: _MAPPINGS[item.stream](item, options))


_MAPPINGS: Mapping[str, Callable[[Item, Options], Iterator[Row | Deletion]]] = {
    "channel": _youtube_rows.channel_rows,
    "days": _youtube_rows.days_rows,
    "video": _youtube_rows.video_rows,
    "thread": _youtube_rows.thread_rows,
    "comment": _youtube_rows.comment_rows,
    "paying": _youtube_rows.paying_rows,
    "paying_count": _youtube_rows.paying_count_rows,
    "gone": gone_rows,
}
