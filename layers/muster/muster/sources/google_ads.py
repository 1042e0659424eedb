"""Google Ads: what each campaign cost a day, and what it brought.

Credentials: an OAuth client's ``{"client_id", "client_secret", "refresh_token"}`` for the scope
adwords, of a user who sees the account. Enable the "Google Ads API" at
https://console.cloud.google.com, make an OAuth client there, and sign in with it once; the key
file of a service account that was added as a user of the account does as well. While your
project needs a developer token (manager account → API Center), put it into the same JSON as
``developer_token``. ``account`` is the customer's number; that of a manager account stands for
all its accounts. If access goes through a manager, name it as ``manager``.

Limits: 2,880 to 15,000 operations a day, and a query is one. Conversions come for 30 days after
the click (``lookback``): these days are read again by each day's first fetch, the last 3 every
time. A first fetch without ``since`` reads 400 days (``history``). A query that is too dear is
asked for in halves.

Verified: recorded searchStream answers (their form; values were edited), and every field, enum
and error against Google's own library for v26; not against a live account.

Days are those of each account's time zone, which doctor tells. Costs come in millionths.
Conversions are those of the column "Conversions", by category: ``lead_categories`` and
``purchase_categories``; parts of a conversion are rounded for a day. ``segments`` (country,
device, age, gender) adds rows broken down by each. An account that is not enabled is left out.

Unverified: that an account may be its own login-customer-id; that ages and genders are told for
every kind of campaign; the wait where Google names none.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from muster.clock import DAY
from muster.errors import Rejected
from muster.records import Item, Page, Row
from muster.settings import Duration, Source
from muster.sources import Window, _google, _google_ads_rows
from muster.sources._answer import Answer, WaitOf, asked_wait
from muster.sources._days import ONE, Plan, Span, spans
from muster.sources._http import Api, Http
from muster.sources._newest import State, begin, finish, mapped, page
from muster.sources._tokens import fields_of

SCOPE = "https://www.googleapis.com/auth/adwords"
ACCOUNT = ("customer.id", "customer.descriptive_name", "customer.currency_code",
           "customer.time_zone", "customer.manager")  # fmt: skip
CLIENTS = ("customer_client.id", "customer_client.descriptive_name",
           "customer_client.currency_code", "customer_client.time_zone")  # fmt: skip
COSTS = ("metrics.cost_micros", "metrics.impressions", "metrics.clicks")
DAYS = ("campaign.id", "campaign.name", "segments.date")
CONVERSIONS = ("campaign.id", "segments.date", "segments.conversion_action_category",
               "metrics.conversions", "metrics.conversions_value")  # fmt: skip
COUNTRIES = ("geo_target_constant.id", "geo_target_constant.country_code")
SEGMENTS = {
    "country": ("geographic_view", "geographic_view.country_criterion_id"),
    "device": ("campaign", "segments.device"),
    "age": ("age_range_view", "ad_group_criterion.age_range.type"),
    "gender": ("gender_view", "ad_group_criterion.gender.type"),
}
LEADS = (
    "SUBMIT_LEAD_FORM", "QUALIFIED_LEAD", "CONVERTED_LEAD", "IMPORTED_LEAD", "PHONE_CALL_LEAD",
    "MESSAGE_LEAD", "BOOK_APPOINTMENT", "REQUEST_QUOTE", "CONTACT",
)  # fmt: skip
TEMPORARILY, TODAY = 60.0, 3600.0  # seconds to wait where Google names none
_log = logging.getLogger(__name__)

Number = Annotated[str, StringConstraints(pattern=r"^\d{3}-?\d{3}-?\d{4}$")]


class Options(Source):
    """What Google Ads needs beyond what every source has."""

    platform: Literal["google_ads"]
    account: Annotated[Number, Field(description="the customer's number, or a manager's")]
    manager: Annotated[Number | None, Field(description="whose access it is, if not ours")] = None
    every: Duration = timedelta(hours=6)
    lookback: Annotated[Duration, Field(description="days that may still change")] = 30 * DAY
    history: Annotated[Duration, Field(description="how far back without since")] = 400 * DAY
    lead_categories: Annotated[tuple[str, ...], Field(description="conversions that are leads")] = (
        LEADS
    )
    purchase_categories: Annotated[
        tuple[str, ...], Field(description="conversions that are purchases")
    ] = ("PURCHASE", "STORE_SALE")
    segments: Annotated[
        tuple[Literal["country", "device", "age", "gender"], ...],
        Field(description="break figures down by country, device, age, gender"),
    ] = ()
    api_version: Annotated[
        str, StringConstraints(pattern=r"^v\d+$"), Field(description="each lives about a year")
    ] = "v26"


def connect(options: Options, secret: str | None, http: Http) -> Api:
    """The signed-in client."""
    held = fields_of(secret, options.name, f"{_google.KINDS} with {SCOPE}")
    base_url = f"{options.base_url or 'https://googleads.googleapis.com'}/{options.api_version}"
    headers = {
        "developer-token": held.get("developer_token"),
        "login-customer-id": _digits(options.manager or options.account),
    }
    return _google.client(
        options.name, base_url, secret, http, SCOPE, _wait_of(options.name), headers
    )


def _digits(number: str) -> str:
    return number.replace("-", "")


def _wait_of(name: str) -> WaitOf:
    """Waits as long as a quota asks; a query that is too dear is refused, not waited for."""

    def wait(answer: Answer) -> float | None:
        codes, error = codes_of(answer.body), _google.error_of(answer.body)
        if answer.status != 429 and error.get("status") != "RESOURCE_EXHAUSTED":
            if isinstance(answer.body, list) and 400 <= answer.status < 500:
                raise Rejected(_told(name, answer), answer.status, answer.body)
            return asked_wait(answer)
        if any(code.startswith("EXCESSIVE_") or code == "ACCESS_PROHIBITED" for code in codes):
            raise Rejected(_told(name, answer), answer.status, answer.body)
        named = [_seconds(one) for one in _failures(answer.body)]
        is_short = "RESOURCE_TEMPORARILY_EXHAUSTED" in codes
        return max(named, default=0.0) or asked_wait(answer) or (TEMPORARILY if is_short else TODAY)

    return wait


def _told(name: str, answer: Answer) -> str:
    """What Google Ads refuses, in its own words."""
    error, codes = _google.error_of(answer.body), codes_of(answer.body)
    said = [*(str(one.get("message")) for one in _failures(answer.body)), str(error.get("message"))]
    why = f"{' '.join(said[0].split())[:200]} {' '.join(sorted(codes))}".strip()
    return f"{name}: Google Ads refuses ({answer.status}): {why}"


def _failures(body: Any) -> Iterator[Mapping[str, Any]]:
    for detail in _google.details(body):
        errors = detail.get("errors")
        yield from (one for one in errors or () if isinstance(one, Mapping))


def codes_of(body: Any) -> set[str]:
    """The codes of Google Ads' own errors."""
    codes = [one.get("errorCode") for one in _failures(body)]
    return {str(code) for one in codes if isinstance(one, Mapping) for code in one.values()}


def _seconds(failure: Mapping[str, Any]) -> float:
    """The delay a quota asks for, written as ``900s``."""
    told = failure.get("details")
    quota = told.get("quotaErrorDetails") if isinstance(told, Mapping) else None
    delay = quota.get("retryDelay") if isinstance(quota, Mapping) else None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(delay))
    return float(found[1]) if found else 0.0


def check(api: Api, options: Options) -> str:
    """Looks the account up, and those below a manager."""
    try:
        accounts = _accounts(api, options)
    except Rejected as refused:
        raise _google.named(refused, options.name, SCOPE) from None
    told = [
        f"{one['name']} ({one['id']}) in {one['currency']}, days of {one['zone']}"
        for one in accounts
    ]
    zones = {one["zone"] for one in accounts}
    hint = f"; set timezone: {min(zones)} for this source" if len(zones) == 1 else ""
    return f"reads Google Ads of {'; '.join(told)}{'' if options.timezone in zones else hint}"


def _accounts(api: Api, options: Options) -> list[dict[str, Any]]:
    """The account, or all enabled ones below a manager, with name, currency and time zone."""
    account = _digits(options.account)
    found = [one for one in _asked(api, account, ACCOUNT, "customer") if _account(one, options)]
    told = found[0]["customer"] if found else {}
    if not told.get("manager"):
        return [_named({"id": account, **told}, options)]
    where = "customer_client.manager = FALSE AND customer_client.status = 'ENABLED'"
    below = _asked(api, account, CLIENTS, "customer_client", where)
    return [_named(one["customerClient"], options) for one in below]


def _account(row: Any, options: Options) -> bool:
    return isinstance(row, Mapping) and isinstance(row.get("customer"), Mapping)


def _named(told: Mapping[str, Any], options: Options) -> dict[str, Any]:
    return {
        "id": str(told["id"]),
        "name": told.get("descriptiveName"),
        "currency": told.get("currencyCode"),
        "zone": told.get("timeZone") or options.timezone or "UTC",
    }


def pages(api: Api, window: Window) -> Iterator[Page]:
    """The accounts once a day, and the days of their campaigns, span by span."""
    state, options = begin(window), window.options
    today = str(window.now.astimezone(UTC).date())
    if state.get("accounts", {}).get("day") != today:
        state["accounts"] = {"day": today, "list": _accounts(api, options)}
    plan = Plan(3, max(options.lookback // DAY, 3), options.history // DAY, most=31)
    for account in state["accounts"]["list"]:
        yield from _account_pages(api, window, state, account, plan)
    yield finish(state)


def _account_pages(
    api: Api, window: Window, state: State, account: Mapping[str, Any], plan: Plan
) -> Iterator[Page]:
    """The days of one account; of one that is not enabled none, until it is."""
    reached = copy.deepcopy(state.get("days", {}).get(account["id"], {}))
    try:
        for span in spans(state, window, ZoneInfo(account["zone"]), plan, account["id"]):
            yield page(state, list(_days(api, window.options, account, span)))
    except Rejected as refused:
        if "CUSTOMER_NOT_ENABLED" not in codes_of(refused.body):
            raise
        state["days"][account["id"]] = reached
        _log.warning("%s: account %s is not enabled", window.options.name, account["id"])


def _days(api: Api, options: Options, account: Mapping[str, Any], span: Span) -> Iterator[Item]:
    """The campaigns' days of a span; of its halves where that is too dear."""
    first, last = span
    try:
        reports = _reports(api, options, account["id"], span)
    except Rejected as refused:
        is_dear = any(code.startswith("EXCESSIVE_") for code in codes_of(refused.body))
        if not is_dear or first == last:
            raise
        middle = first + (last - first) // 2
        yield from _days(api, options, account, (first, middle))
        yield from _days(api, options, account, (middle + ONE, last))
        return
    context = {"currency": account["currency"], "countries": _countries(api, account, reports)}
    yield from _google_ads_rows.by_day(reports, api.http.clock(), context)


def _reports(api: Api, options: Options, account: str, span: Span) -> dict[str, list[Any]]:
    """The rows of each report: costs, conversions by category, costs by each segment."""
    where = f"segments.date BETWEEN '{span[0]}' AND '{span[1]}'"
    reports = {
        "costs": _asked(api, account, (*DAYS, *COSTS), "campaign", where),
        "conversions": _asked(api, account, CONVERSIONS, "campaign", where),
    }
    for segment in options.segments:
        resource, field = SEGMENTS[segment]
        reports[segment] = _asked(api, account, (*DAYS, field, *COSTS), resource, where)
    return reports


def _countries(
    api: Api, account: Mapping[str, Any], reports: Mapping[str, Sequence[Any]]
) -> list[Any]:
    """What Google tells of each country that the report by country names with a number."""
    used = _google_ads_rows.countries_in(reports.get("country", ()))
    if not used:
        return []
    where = "geo_target_constant.target_type = 'Country'"
    told = _asked(api, account["id"], COUNTRIES, "geo_target_constant", where)
    return [one for one in told if _google_ads_rows.number_of(one) in used]


def _asked(
    api: Api, account: str, fields: Sequence[str], resource: str, where: str = ""
) -> list[Any]:
    """All rows of a query; answers to another one than was asked are left out, and told."""
    query = f"SELECT {', '.join(fields)} FROM {resource}" + (f" WHERE {where}" if where else "")
    answer = api.post(f"/customers/{account}/googleAds:searchStream", {"query": query})
    rows: list[Any] = []
    for part in answer.body:
        if _google_ads_rows.answers(part, fields):
            rows += part.get("results") or ()
        else:
            _log.warning("%s: Google Ads answered another query: %s", api.name, resource)
    return rows


def rows(item: Item, options: Options) -> Iterator[Row]:
    """A campaign's day, whole and by segment."""
    yield from mapped(
        lambda: _google_ads_rows.day_rows(
            item, options.lead_categories, options.purchase_categories
        )
    )
