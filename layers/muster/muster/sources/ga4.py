"""Google Analytics 4: a site's visits, visitors, carts, leads, purchases by channel and day.

Credentials: a service account's key file, the account being Viewer of the property. Make one at
https://console.cloud.google.com (enable the "Google Analytics Data API"; IAM → Service accounts →
Keys → JSON) and add its address under Analytics → Admin → Property access management. An OAuth
client with a refresh token for the scope analytics.readonly does as well. ``account`` is the
property's id, a number (Admin → Property details).

Limits: 200,000 tokens a day and 14,000 an hour and project; a fetch takes about ten a request.
Figures change for days: the last 3 days are read each time, the last 14 by each day's first
fetch (``lookback``); a first one without ``since`` reads 400 days (``history``).

Verified: recorded reports of the Data API, its own discovery document, the channel groups of
Google's help; not against a live property.

Days are those of the property's time zone; doctor says which it is. GA4's channel groups become
Muster's channels, further ones by ``channels`` (``Organic Video: organic_social``); all others,
"(other)" and "Unassigned" too, are ``other``. Visitors are distinct per channel group: where
several groups are one channel, somebody who came by two of them counts twice. An abandoned
session is one with a cart less one with a purchase, by channel; GA4 does not tell whether they
were the same, so the figure is the least there can be. Leads are the events of ``lead_events``.
``segments`` (country, language, or any dimension's API name) adds rows broken down by each.
What GA4 withholds, samples or puts together as "(other)" is logged and told by doctor.

Unverified: that sessions may be filtered by event, which GA4's own reports do; the API names
countryId and languageCode.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import Rejected, SourceFailed
from muster.records import Item, Page, Row
from muster.settings import Duration, Source
from muster.sources import Window, _ga4_rows, _google
from muster.sources._answer import Answer, asked_wait
from muster.sources._days import Plan, Span, spans
from muster.sources._http import Api, Http
from muster.sources._newest import State, begin, finish, mapped, page

SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
PACIFIC = ZoneInfo("America/Los_Angeles")
ROWS = 100_000
CONCURRENT = 30.0
CHANNEL = "sessionDefaultChannelGroup"
METRICS = ("sessions", "totalUsers", "addToCarts", "ecommercePurchases", "purchaseRevenue")
DIMENSIONS = {"country": "countryId", "language": "languageCode"}
CART, PURCHASE = "add_to_cart", "purchase"
_log = logging.getLogger(__name__)


class Options(Source):
    """What Google Analytics needs beyond what every source has."""

    platform: Literal["ga4"]
    account: Annotated[
        str, StringConstraints(pattern=r"^(properties/)?\d+$"), Field(description="property id")
    ]
    every: Duration = timedelta(hours=6)
    lead_events: Annotated[tuple[str, ...], Field(description="events that are leads")] = (
        "generate_lead",
    )
    channels: Annotated[
        Mapping[str, str], Field(description="GA4's channel group → channel, beside the usual")
    ] = {}
    segments: Annotated[
        tuple[str, ...], Field(description="break figures down by country, language, …")
    ] = ()
    lookback: Annotated[Duration, Field(description="days that may still change")] = 14 * DAY
    history: Annotated[Duration, Field(description="how far back without since")] = 400 * DAY
    api_version: Annotated[
        str, StringConstraints(pattern=r"^v\d+\w*$"), Field(description="of the Data API")
    ] = "v1beta"


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    base_url = options.base_url or "https://analyticsdata.googleapis.com"
    return _google.client(options.name, base_url, secret, http, SCOPE, _wait)


def _wait(answer: Answer) -> float | None:
    """A quota that is used up comes back with the next hour, or with the next Pacific day."""
    error = _google.error_of(answer.body)
    if answer.status != 429 and error.get("status") != "RESOURCE_EXHAUSTED":
        return asked_wait(answer)
    if asked := asked_wait(answer):
        return asked
    said = str(error.get("message")).lower()
    if "concurrent" in said:
        return CONCURRENT
    if "per day" in said:
        here = answer.seen_at.astimezone(PACIFIC)
        midnight = datetime.combine(here.date() + DAY, time(), PACIFIC)
        return (midnight - answer.seen_at).total_seconds()
    return 3600.0 - answer.seen_at.timestamp() % 3600


def check(api: Api, options: Options) -> str:
    """Asks for yesterday's sessions: whose days, which currency, how complete."""
    try:
        answer = _sample(api, options)
    except Rejected as refused:
        raise _google.named(refused, options.name, SCOPE) from None
    told = answer.body.get("metadata") or {}
    zone, flaws = told.get("timeZone"), flaws_of(answer.body)
    hint = "" if options.timezone == zone else f"; set timezone: {zone} for this source"
    rest = f"; GA4 {' and '.join(flaws)}" if flaws else ""
    where = f"property {_property(options).partition('/')[2]}"
    return (
        f"reads Google Analytics {where} in {told.get('currencyCode')}, days of {zone}{hint}{rest}"
    )


def _property(options: Options) -> str:
    return f"properties/{options.account.removeprefix('properties/')}"


def _sample(api: Api, options: Options) -> Answer:
    """A month's sessions by channel: one row of it, and what is said of all."""
    asked = _asked(("2026-01-01", "2026-01-01"), (CHANNEL,), ("sessions",))
    asked["dateRanges"] = [{"startDate": "28daysAgo", "endDate": "yesterday"}]
    return api.post(_path(options), {**asked, "limit": "1"})


def _path(options: Options) -> str:
    return f"/{options.api_version}/{_property(options)}:runReport"


def flaws_of(body: Mapping[str, Any]) -> list[str]:
    """What keeps the figures of a report from being whole."""
    told = body.get("metadata") or {}
    flaws = {
        "withholds rows of few visitors (thresholding)": told.get("subjectToThresholding"),
        "puts rows together as (other)": told.get("dataLossFromOtherRow"),
        "samples": told.get("samplingMetadatas"),
        "leaves rows out": told.get("dataTruncationReasons"),
    }
    return [flaw for flaw, is_there in flaws.items() if is_there]


def pages(api: Api, window: Window) -> Iterator[Page]:
    """The reports of each span of days, a day an item."""
    state = begin(window)
    if not state.get("zone"):
        state["zone"] = window.options.timezone or _told_zone(api, window.options)
    zone = _zone(state["zone"], window.options)
    flaws: set[str] = set()
    for span in spans(state, window, zone, _plan(window.options)):
        items: list[Item] = []
        for segment in ("", *window.options.segments):
            items += _days(api, window.options, state, span, segment, flaws)
        yield page(state, items)
    if flaws:
        _log.warning("%s: GA4 %s", window.options.name, " and ".join(sorted(flaws)))
    yield finish(state)


def _told_zone(api: Api, options: Options) -> str:
    """The property's time zone, as it says itself."""
    return str((_sample(api, options).body.get("metadata") or {}).get("timeZone") or "UTC")


def _zone(name: str, options: Options) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SourceFailed(f"{options.name}: GA4's time zone {name!r} is unknown here") from error


def _plan(options: Options) -> Plan:
    return Plan(3, max(options.lookback // DAY, 3), options.history // DAY, most=31)


def _days(
    api: Api, options: Options, state: State, span: Span, segment: str, flaws: set[str]
) -> Iterator[Item]:
    """The items of a span: what visits and events each day had, by channel."""
    dates = (str(span[0]), str(span[1]))
    more = (DIMENSIONS.get(segment, segment),) if segment else ()
    visits = _report(api, options, _asked(dates, ("date", CHANNEL, *more), METRICS), flaws)
    names = {"values": [*options.lead_events, CART, PURCHASE]}
    counted = _asked(dates, ("date", CHANNEL, "eventName", *more), ("sessions", "eventCount"))
    counted["dimensionFilter"] = {"filter": {"fieldName": "eventName", "inListFilter": names}}
    events = _report(api, options, counted, flaws)
    told = (visits[0].body.get("metadata") or {}) if visits else {}
    state["zone"] = told.get("timeZone") or state["zone"]
    context = {"segment": segment or None, "currency": told.get("currencyCode")}
    yield from _ga4_rows.by_day(visits, events, context)


def _asked(
    dates: Sequence[str], dimensions: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any]:
    return {
        "dateRanges": [{"startDate": dates[0], "endDate": dates[1]}],
        "dimensions": [{"name": one} for one in dimensions],
        "metrics": [{"name": one} for one in metrics],
        "orderBys": [{"dimension": {"dimensionName": one}} for one in dimensions],
    }


def _report(api: Api, options: Options, asked: Mapping[str, Any], flaws: set[str]) -> list[Answer]:
    """All pages of a report; also notes what keeps it from being whole."""
    found: list[Answer] = []
    offset = 0
    while True:
        paged = {**asked, "limit": str(ROWS), "offset": str(offset)}
        answer = api.post(_path(options), paged)
        read = answer.body.get("rows") or ()
        flaws.update(flaws_of(answer.body))
        if read and not _ga4_rows.answers(answer.body, asked):
            flaws.add("answered with another report than was asked for")
            return found
        found.append(answer)
        offset += len(set(map(repr, read)))  # a row that comes twice stands for no other
        if not read or offset >= int(answer.body.get("rowCount") or 0):
            return found


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The visits of a day, by channel and segment."""
    yield from mapped(lambda: _ga4_rows.day_rows(item, options.channels, options.lead_events))
