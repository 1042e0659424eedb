"""LinkedIn ads: what each campaign cost a day, its clicks, followers and leads.

Credentials: a token with r_ads and r_ads_reporting, of a user who sees the ad account. Make an
app at https://www.linkedin.com/developers/apps, apply for the Advertising API, and sign in. A
token lives 60 days; approved apps get refresh tokens (``{"client_id", "client_secret",
"refresh_token"}``, a year). ``account`` is the ad account's number.

Limits: a number of calls a UTC day that LinkedIn tells in the app's page only; a 429 is waited
for until midnight. Conversions come late: the last 30 days (``lookback``) are read again by each
day's first fetch, the last 3 every time. A first fetch without ``since`` reads 400 days
(``history``). An answer ends at 15,000 rows: one so long is asked for in halves.

Verified: names of fields and addresses against a published connector; not against a live account.

Days are UTC days. Leads are those of lead forms (oneClickLeads). What LinkedIn counts as
conversions is of every kind, so purchases and revenue have no value; count them on your own site.
A day on which a campaign won no follower reports none.

Unverified: that days are UTC days; how a campaign's name comes when it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import Refused, Rejected
from muster.records import AdSpend, Item, Page, Row
from muster.settings import Duration
from muster.sources import Window
from muster.sources._days import ONE, Plan, Span, spans
from muster.sources._http import Api, Http
from muster.sources._linkedin import LinkedInSource, address, client, named, several
from muster.sources._newest import State, begin, finish, mapped, page
from muster.sources._paging import walk

SCOPES = ("r_ads", "r_ads_reporting")
FIELDS = "costInLocalCurrency,impressions,clicks,follows,oneClickLeads,dateRange,pivotValues"
MOST = 15_000
UTC_ZONE = ZoneInfo("UTC")
STATES = "ACTIVE,PAUSED,ARCHIVED,COMPLETED,CANCELED,DRAFT,PENDING_DELETION,REMOVED"


class Options(LinkedInSource):
    """What LinkedIn's ads need beyond what every source has."""

    platform: Literal["linkedin_ads"]
    account: Annotated[
        str, StringConstraints(pattern=r"^\d+$"), Field(description="the ad account's number")
    ]
    every: Duration = timedelta(hours=6)
    lookback: Annotated[Duration, Field(description="days that may still change")] = 30 * DAY
    history: Annotated[Duration, Field(description="how far back without since")] = 400 * DAY


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    return client(options, secret, http)


def check(api: Api, options: Options) -> str:
    """Looks the account up, and whether its figures may be read."""
    try:
        told = api.get(f"/adAccounts/{options.account}").body
        today = api.http.clock().astimezone(UTC).date()
        api.get(_days_address(options, (today, today)))
    except Rejected as refused:
        raise named(refused, api, SCOPES) from None
    return (
        f"reads LinkedIn ads of {told.get('name')} ({told['id']}) in {told['currency']}, UTC days"
    )


def pages(api: Api, window: Window) -> Iterator[Page]:
    """The account and its campaigns' names once a day, and their days, span by span."""
    state, options = begin(window), window.options
    today = str(window.now.astimezone(UTC).date())
    if state.get("account", {}).get("day") != today:
        state["account"] = {"day": today, **_account(api, options)}
    plan = Plan(3, max(options.lookback // DAY, 3), options.history // DAY, most=31)
    for span in spans(state, window, UTC_ZONE, plan):
        yield page(state, list(_days(api, options, state, span)))
    yield finish(state)


def _account(api: Api, options: Options) -> dict[str, Any]:
    """The account's currency, and the names of its campaigns."""
    told = api.get(f"/adAccounts/{options.account}").body
    return {"currency": told.get("currency"), "names": dict(_campaigns(api, options))}


def _campaigns(api: Api, options: Options) -> Iterator[tuple[str, str]]:
    path = f"/adAccounts/{options.account}/adCampaigns"
    query = {"q": "search", "search": f"(status:(values:List({STATES})))", "pageSize": "500"}
    for step in walk(
        lambda token: api.get(address(path, **query, **({"pageToken": token} if token else {}))),
        lambda answer: (
            answer.body.get("elements") or (),
            (answer.body.get("metadata") or {}).get("nextPageToken"),
        ),
    ):
        for one in step.items:
            if isinstance(one, Mapping) and one.get("name"):
                yield str(one.get("id")), str(one["name"])


def _days_address(options: Options, span: Span) -> str:
    bounds = ",".join(f"{name}:{_date(day)}" for name, day in zip(("start", "end"), span,
                                                                 strict=True))  # fmt: skip
    accounts = several([f"urn:li:sponsoredAccount:{options.account}"])
    return address("/adAnalytics", q="analytics", pivot="(value:CAMPAIGN)",
                   timeGranularity="(value:DAILY)", dateRange=f"({bounds})", accounts=accounts,
                   fields=FIELDS)  # fmt: skip


def _date(day: date) -> str:
    return f"(year:{day.year},month:{day.month},day:{day.day})"


def _days(api: Api, options: Options, state: State, span: Span) -> Iterator[Item]:
    """The campaigns' days of a span; of its halves where an answer may have been cut off."""
    first, last = span
    answer = api.get(_days_address(options, span))
    found = answer.body.get("elements") or ()
    if len(found) >= MOST and first < last:
        middle = first + (last - first) // 2
        yield from _days(api, options, state, (first, middle))
        yield from _days(api, options, state, (middle + ONE, last))
        return
    account = state["account"]
    for one in found:
        name = account["names"].get(_campaign(one))
        yield Item("day", one, answer.seen_at, {"currency": account["currency"], "campaign": name})


def _campaign(row: Any) -> str | None:
    """The number of the campaign a row is of."""
    values = row.get("pivotValues") if isinstance(row, Mapping) else None
    urn = values[0] if isinstance(values, list) and values else None
    return urn.rpartition(":")[2] if isinstance(urn, str) else None


def rows(item: Item, options: Options) -> Iterator[Row]:
    """A campaign's day."""
    yield from mapped(lambda: _day_rows(item))


def _day_rows(item: Item) -> Iterator[Row]:
    told, context = item.body, item.context or {}
    campaign = _campaign(told)
    if not campaign:
        raise Refused("a row that names no campaign")
    first, last = _day(told["dateRange"]["start"]), _day(told["dateRange"]["end"])
    if first != last:
        raise Refused(f"{first} to {last} is no single day")
    yield AdSpend(
        campaign_id=campaign,
        date=first,
        campaign=context.get("campaign"),
        currency=context["currency"],
        spend=_money(told["costInLocalCurrency"]),
        impressions=int(told.get("impressions") or 0),
        clicks=int(told.get("clicks") or 0),
        follows=int(told["follows"]) if told.get("follows") else None,
        leads=int(told["oneClickLeads"]) if told.get("oneClickLeads") is not None else None,
    )


def _day(told: Mapping[str, Any]) -> date:
    return date(told["year"], told["month"], told["day"])


def _money(text: Any) -> Decimal:
    try:
        return round(Decimal(str(text)), 4)
    except InvalidOperation as error:
        raise ValueError(f"{str(text)[:40]!r} is no amount") from error
