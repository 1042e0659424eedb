"""Meta ads: what each campaign on Facebook and Instagram cost a day, and what it brought.

Credentials: a token with the permission ads_read. Make a system user at
https://business.facebook.com (Settings → Users → System users), give it the ad account and an
app, and generate a token with this permission there: it does not expire. If the app demands
proofs, the secret is ``{"access_token": …, "app_secret": …}``. ``account`` is the ad account's
id, with or without ``act_``.

Limits: shares of the ad account's hourly limits; at 75 % requests are spaced out. Conversions are
attributed for 28 days (``lookback``): these days are read again by each day's first fetch, the
last 3 every time. A first fetch without ``since`` reads 400 days (``history``); Meta keeps 37
months.

Verified: recorded insights (their form; values were edited) and field names against Meta's own
library for v26.0; not against a live account.

Days are those of the ad account's time zone, which doctor tells. Clicks are those on links.
Leads, purchases and follows are the actions that ``lead_action``, ``purchase_action`` and
``follow_actions`` name; a campaign that reports none has no value. Purchases under several names
overlap, so one is counted: ``omni_purchase``. Deleted and archived campaigns are asked for too.
``segments`` (country, age, gender, publisher_platform, …) adds rows broken down by each. A range
that is too much for one answer is asked for in halves.

Unverified: that deleted campaigns come with breakdowns; which action follows of an Instagram
account are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import Refused, Rejected
from muster.records import AdSpend, Item, Page, Row
from muster.settings import Duration
from muster.sources import Window
from muster.sources import _meta as meta
from muster.sources._days import ONE, Plan, Span, spans
from muster.sources._http import Http
from muster.sources._newest import State, begin, finish, mapped, page
from muster.sources._paging import walk

FIELDS = (
    "account_currency,campaign_id,campaign_name,spend,impressions,inline_link_clicks,actions,"
    "action_values,date_start,date_stop"
)
ACCOUNT = "account_id,name,currency,timezone_name,account_status"
STATES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES")
KEPT = 1_100  # days: Meta refuses what is older than 37 months
ASKED = {
    "level": "campaign",
    "time_increment": "1",
    "fields": FIELDS,
    "use_unified_attribution_setting": "true",
    "filtering": json.dumps(
        [{"field": "campaign.effective_status", "operator": "IN", "value": list(STATES)}]
    ),
    "limit": "500",
}


class Options(meta.MetaSource):
    """What Meta's ads need beyond what every source has."""

    platform: Literal["meta_ads"]
    account: Annotated[
        str, StringConstraints(pattern=r"^(act_)?\d+$"), Field(description="ad account's id")
    ]
    every: Duration = timedelta(hours=6)
    lookback: Annotated[Duration, Field(description="days that may still change")] = 28 * DAY
    history: Annotated[Duration, Field(description="how far back without since")] = 400 * DAY
    lead_action: Annotated[str, Field(description="the action that is a lead")] = "lead"
    purchase_action: Annotated[str, Field(description="the action that is a purchase")] = (
        "omni_purchase"
    )
    follow_actions: Annotated[
        tuple[str, ...], Field(description="the actions that are a new follower")
    ] = ("like",)
    segments: Annotated[
        tuple[str, ...], Field(description="break figures down by country, age, gender, …")
    ] = ()


def connect(options: Options, secret: str | None, http: Http) -> meta.Graph:
    """The signed-in client."""
    token, app_secret = meta.tokens(options, secret)
    return meta.Graph(options, token, http, app_secret)


def check(api: meta.Graph, options: Options) -> str:
    """Looks the account and the token's permissions up."""
    told = api.get(_path(options), {"fields": ACCOUNT}).body
    rest = meta.permitted(api, "ads_read")
    zone = told.get("timezone_name")
    hint = "" if options.timezone == zone else f"; set timezone: {zone} for this source"
    where = f"{told.get('name')} ({_path(options)[1:]})"
    return f"reads Meta ads of {where} in {told['currency']}, days of {zone}{hint}{rest}"


def _path(options: Options) -> str:
    return f"/act_{options.account.removeprefix('act_')}"


def pages(api: meta.Graph, window: Window) -> Iterator[Page]:
    """The account once a day, and the campaigns' days, span by span."""
    state = begin(window)
    zone = ZoneInfo(_zone(api, window, state))
    lookback, history = window.options.lookback // DAY, window.options.history // DAY
    plan = Plan(3, max(lookback, 3), history, most=31, reach=KEPT)
    for span in spans(state, window, zone, plan):
        items: list[Item] = []
        for segment in ("", *window.options.segments):
            items += _days(api, window.options, span, segment)
        yield page(state, items)
    yield finish(state)


def _zone(api: meta.Graph, window: Window, state: State) -> str:
    """The account's time zone, asked for once a UTC day."""
    today = str(window.now.astimezone(UTC).date())
    if state.get("account", {}).get("day") != today:
        told = api.get(_path(window.options), {"fields": ACCOUNT}).body
        state["account"] = {"day": today, "zone": told.get("timezone_name") or "UTC"}
    return str(state["account"]["zone"])


def _days(api: meta.Graph, options: Options, span: Span, segment: str) -> Iterator[Item]:
    """The rows of a span; of its halves where that is too much for Meta."""
    first, last = span
    more = {"breakdowns": segment} if segment else {}
    dates = json.dumps({"since": str(first), "until": str(last)})
    asked = {**ASKED, **more, "time_range": dates}
    try:
        steps = list(
            walk(
                lambda token: api.get(f"{_path(options)}/insights", {**asked, **meta.after(token)}),
                meta.listed,
            )
        )
    except Rejected as refused:
        if not meta.is_too_much(refused.body) or first == last:
            raise
        middle = first + (last - first) // 2
        yield from _days(api, options, (first, middle), segment)
        yield from _days(api, options, (middle + ONE, last), segment)
        return
    for step in steps:
        for one in step.items:
            if not _is_whole(one, segment):
                yield Item("day", meta.bare(one), step.answer.seen_at, {"segment": segment or None})


def _is_whole(one: Any, segment: str) -> bool:
    """Whether a row is a campaign's whole day although a breakdown was asked for: no part of it."""
    return bool(segment) and isinstance(one, Mapping) and "spend" in one and segment not in one


def rows(item: Item, options: Options) -> Iterator[Row]:
    """A campaign's day, whole or of one segment."""
    yield from mapped(lambda: _day_rows(item, options))


def _day_rows(item: Item, options: Options) -> Iterator[Row]:
    told, segment = item.body, (item.context or {}).get("segment")
    if told["date_start"] != told["date_stop"]:
        raise Refused(f"{told['date_start']} to {told['date_stop']} is no single day")
    actions, values = _by_type(told.get("actions")), _by_type(told.get("action_values"))
    follows = [actions[one] for one in options.follow_actions if one in actions]
    yield AdSpend(
        campaign_id=_string(told, "campaign_id"),
        segment=f"{segment}={told[segment]}" if segment else "all",
        date=datetime.strptime(told["date_start"], "%Y-%m-%d").date(),
        campaign=told.get("campaign_name"),
        currency=told["account_currency"],
        spend=_number(told["spend"]),
        impressions=int(_number(told.get("impressions") or "0")),
        clicks=int(_number(told.get("inline_link_clicks") or "0")),
        follows=int(sum(follows)) if follows else None,
        leads=_whole(actions.get(options.lead_action)),
        purchases=_whole(actions.get(options.purchase_action)),
        revenue=values.get(options.purchase_action),
    )


def _by_type(actions: Any) -> dict[str, Decimal]:
    """The value of each kind of action; a kind that is listed twice is added up."""
    found: dict[str, Decimal] = {}
    for one in actions or ():
        kind = one["action_type"]
        found[kind] = found.get(kind, Decimal(0)) + _number(one.get("value") or "0")
    return found


def _number(text: Any) -> Decimal:
    try:
        return round(Decimal(str(text)), 4)
    except InvalidOperation as error:
        raise ValueError(f"{str(text)[:40]!r} is no number") from error


def _whole(number: Decimal | None) -> int | None:
    return None if number is None else int(number)


def _string(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(told[name], str):
        raise TypeError(f"{name} is no text")
    return str(told[name])
