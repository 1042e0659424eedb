"""HubSpot: new contacts as leads, a day and channel each.

Credentials: a private app's access token with the scope ``crm.objects.contacts.read`` (Settings →
Integrations → Private Apps), or an OAuth app's ``{"client_id", "client_secret", "refresh_token"}``.

Limits: 5 searches a second, 200 contacts each; 250,000 requests a day or more by plan.

Verified: paths and the search's fields by HubSpot's own OpenAPI; not against a live account.

A lead is a contact, of the day it was created on; ``timezone`` says whose days. Its channel is
HubSpot's original source. Contacts that came by import, by hand or by another program (OFFLINE, or
no source) are none: they did not come to us. ``stages`` counts only those that are, or were when
last read, in certain lifecycle stages. Only ids, times, sources and stages are asked for, never a
name or an address. Days are counted again for two days, and for thirty once a UTC day, as contacts
are merged and deleted; a day's counts are replaced as a whole. If GA4 counts the same leads as
events, leave them out there (``lead_events: []``), or each counts twice.

Unverified: the limits; that a search sees a contact seconds to minutes late.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from muster.clock import DAY, local_midnight
from muster.errors import Refused, Rejected, SourceFailed
from muster.records import Item, Page, Row, SiteTraffic
from muster.settings import Source
from muster.sources import Window
from muster.sources._answer import Answer, asked_wait
from muster.sources._downward import done_today, is_due_today
from muster.sources._http import Api, Http
from muster.sources._newest import State, begin, instant, mapped, page, stamp, start_of
from muster.sources._tokens import OAuth, lacking, signed

SCOPE = "crm.objects.contacts.read"
NEEDS = f"a private app's access token with the scope {SCOPE}"
LIMIT = 200
MOST = 10_000  # results of one search: then it begins anew, from the last contact's time
RECENT, LATE = 2 * DAY, 30 * DAY
WAITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}
PROPERTIES = ("createdate", "hs_analytics_source", "lifecyclestage")
CHANNELS = {
    "ORGANIC_SEARCH": "organic_search",
    "PAID_SEARCH": "paid_search",
    "SOCIAL_MEDIA": "organic_social",
    "PAID_SOCIAL": "paid_social",
    "EMAIL_MARKETING": "email",
    "REFERRALS": "referral",
    "AI_REFERRALS": "referral",
    "DIRECT_TRAFFIC": "direct",
}
OTHER = "other"
_NONE = (None, "", "OFFLINE")


class Options(Source):
    """What HubSpot needs beyond what every source has."""

    platform: Literal["hubspot"]
    stages: Annotated[
        tuple[str, ...], Field(description="lifecycle stages that count; absent: all contacts")
    ] = ()
    api_version: Annotated[
        str,
        StringConstraints(pattern=r"^(v3|\d{4}-\d{2})$"),
        Field(description="version of the CRM API: v3, or by date: 2026-03"),
    ] = "v3"


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    base_url = options.base_url or "https://api.hubapi.com"
    oauth = OAuth(f"{base_url}/oauth/v1/token")
    return signed(http, base_url, secret, oauth, name=options.name, needs=NEEDS, wait_of=_wait_of)


def _wait_of(answer: Answer) -> float | None:
    """As long as the limit that was passed takes to have room again."""
    asked = asked_wait(answer)
    if asked is not None or answer.status != 429:
        return asked
    policy = answer.body.get("policyName") if isinstance(answer.body, Mapping) else None
    return WAITS.get(str(policy), WAITS["TEN_SECONDLY_ROLLING"])


def check(api: Api, options: Options) -> str:
    """Counts all contacts."""
    told = _search(api, options, [], 1).body
    return f"reads HubSpot's contacts: {int(told.get('total') or 0):,}"


def _path(options: Options) -> str:
    version = options.api_version
    kind = "v3/objects" if version == "v3" else f"objects/{version}"
    return f"/crm/{kind}/contacts/search"


def _search(
    api: Api, options: Options, filters: Sequence[Any], limit: int, after: str = "0"
) -> Answer:
    """Contacts by the time they were created; a refusal names the missing scope."""
    asked = {
        "filterGroups": [{"filters": list(filters)}] if filters else [],
        "sorts": ["createdate"],
        "properties": list(PROPERTIES),
        "limit": limit,
        "after": after,
    }
    try:
        return api.post(_path(options), asked)
    except Rejected as refused:
        if refused.status != 403:
            raise
        scopes = re.findall(r"\bcrm\.[a-z_.]{1,60}\b", str(refused.body)) or [SCOPE]
        raise lacking(options.name, scopes, (), "the private app's Scopes") from None


# ---- reading: contacts by time, put together by day ---------------------------------------------


@dataclass
class Days:
    """The contacts read so far of days that are not whole yet, each once."""

    zone: ZoneInfo
    first: date | None
    found: dict[date, dict[str, Any]] = field(default_factory=dict)

    def add(self, contact: Any) -> bool:
        """Take a contact in; false if it cannot be read."""
        try:
            day = _created(contact).astimezone(self.zone).date()
            told = [contact["id"], *contact["properties"].values()]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return False
        if not all(isinstance(one, str | None) for one in told):
            return False
        self.found.setdefault(day, {})[told[0]] = contact
        self.first = min(self.first or day, day)
        return True

    def whole(self, before: date) -> Iterator[tuple[date, list[Any]]]:
        """Each day before ``before`` with its contacts, also one without any; they are given up."""
        while self.first is not None and self.first < before:
            yield self.first, list(self.found.pop(self.first, {}).values())
            self.first += timedelta(days=1)


def pages(api: Api, window: Window) -> Iterator[Page]:
    """Contacts by the time they were created; a day's item follows once all of it is read."""
    state, zone = begin(window), ZoneInfo(window.options.timezone or "UTC")
    start = instant(state["walk"]) if state.get("walk") else _start(window, state, zone)
    days = Days(zone, start.astimezone(zone).date() if start else None)
    seen_at = window.now
    for answer in _contacts(api, window, start):
        seen_at, found = answer.seen_at, _results(answer)
        bad = [Item("unreadable", one, seen_at) for one in found if not days.add(one)]
        newest = max(days.found, default=days.first)
        items = [*bad, *_items(days, newest, zone, seen_at)]
        if days.first:
            state["walk"] = stamp(local_midnight(days.first, zone))
        yield page(state, items)
    items = _items(days, _end(window, zone), zone, seen_at)
    state.pop("walk", None)
    state["through"] = stamp(window.now)
    done_today(state, window, "late")
    yield page(state, items)


def _end(window: Window, zone: ZoneInfo) -> date:
    """The day before which all are counted: today is, a day that is cut off by ``until`` is not."""
    if window.until and window.until < window.now:
        return window.until.astimezone(zone).date()
    return window.now.astimezone(zone).date() + timedelta(days=1)


def _start(window: Window, state: State, zone: ZoneInfo) -> datetime | None:
    """The midnight from which days are counted; ``None``: from the first contact's."""
    start = start_of(window)
    if "through" in state:
        back = LATE if is_due_today(state, window, "late") else RECENT
        again = instant(state["through"]) - back
        start = max(again, start) if start else again
    return local_midnight(start.astimezone(zone).date(), zone) if start else None


def _contacts(api: Api, window: Window, start: datetime | None) -> Iterator[Answer]:
    """The pages of as many searches as it takes: one ends after 10,000 contacts."""
    after, since = "0", start
    while True:
        answer = _search(api, window.options, _between(since, window.until), LIMIT, after)
        yield answer
        following = str(((answer.body.get("paging") or {}).get("next") or {}).get("after") or "")
        if not following.isdecimal() or int(following) <= int(after):
            return
        after = following
        if int(after) + LIMIT > MOST:
            before, since, after = since, _last(answer) or since, "0"
            if since == before:
                raise SourceFailed(
                    f"{api.name}: more than {MOST:,} contacts were created at one instant, an "
                    "import surely: set since to the day after it"
                )


def _between(since: datetime | None, until: datetime | None) -> list[dict[str, str]]:
    bounds = (("GTE", since), ("LT", until))
    return [
        {"propertyName": "createdate", "operator": how, "value": str(int(at.timestamp() * 1000))}
        for how, at in bounds
        if at
    ]


def _results(answer: Answer) -> Sequence[Any]:
    found = answer.body.get("results")
    return found if isinstance(found, list) else ()


def _last(answer: Answer) -> datetime | None:
    for contact in reversed(_results(answer)):
        try:
            return _created(contact)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return None


def _created(contact: Mapping[str, Any]) -> datetime:
    return instant(contact["properties"].get("createdate") or contact["createdAt"])


def _items(days: Days, before: date | None, zone: ZoneInfo, seen_at: datetime) -> list[Item]:
    return [
        Item("day", {"contacts": contacts}, seen_at, {"day": day.isoformat(), "zone": zone.key})
        for day, contacts in (days.whole(before) if before else ())
    ]


# ---- mapping: a day's contacts are its leads ----------------------------------------------------


def rows(item: Item, options: Options) -> Iterator[Row]:
    """The leads of a day by channel; 0 for those without any, so that what was deleted goes."""
    if item.stream == "unreadable":
        raise Refused("a contact whose id, createdate or source cannot be read")
    yield from mapped(lambda: _day_rows(item, options))


def _day_rows(item: Item, options: Options) -> Iterator[SiteTraffic]:
    told = (_channel(contact["properties"], options) for contact in item.body["contacts"])
    leads = Counter(channel for channel in told if channel)
    day = date.fromisoformat((item.context or {})["day"])
    for channel in sorted({*CHANNELS.values(), OTHER}):
        yield SiteTraffic(date=day, channel=channel, sessions=0, visitors=0, leads=leads[channel])


def _channel(told: Mapping[str, Any], options: Options) -> str | None:
    """Where the contact came from; ``None`` for one that is no lead."""
    source, stage = told.get("hs_analytics_source"), told.get("lifecyclestage")
    if source in _NONE or (options.stages and stage not in options.stages):
        return None
    return CHANNELS.get(source, OTHER)
