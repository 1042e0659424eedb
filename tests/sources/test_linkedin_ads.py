"""LinkedIn ads: what a campaign's day becomes, and which days are asked for."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from recorded import items_of, last_cursor

from muster.errors import Refused, SourceFailed
from muster.records import AdSpend, Item
from muster.sources import Window, linkedin_ads
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = linkedin_ads.Options(name="li", platform="linkedin_ads", account="9",
                               since=date(2026, 11, 3))  # fmt: skip
CONTEXT = {"currency": "EUR", "campaign": "Autumn"}


def on(day: int) -> dict[str, int]:
    return {"year": 2026, "month": 11, "day": day}


def day(number: int = 18, **more: Any) -> dict[str, Any]:
    return {"costInLocalCurrency": "12.345678", "impressions": 100, "clicks": 4, "follows": 2,
            "oneClickLeads": 0, "dateRange": {"start": on(number), "end": on(number)},
            "pivotValues": ["urn:li:sponsoredCampaign:5"], **more}  # fmt: skip


def row(body: Any) -> AdSpend:
    (found,) = linkedin_ads.rows(Item("day", body, NOW, CONTEXT), OPTIONS)
    assert isinstance(found, AdSpend)
    return found


def fetch(analytics: Any, cursor: Any = None, **more: Any) -> tuple[list[Any], list[Item], Any]:
    """The spans asked for as days of November, the items read, the last cursor."""
    spans: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/rest")
        if path == "/adAccounts/9":
            return httpx.Response(200, json={"id": 9, "name": "Shop", "currency": "USD"})
        if path != "/adAnalytics":
            return httpx.Response(200, json={"elements": [{"id": 5, "name": "Autumn"}]})
        told = re.findall(r"month:(\d+),day:(\d+)", str(request.url))
        spans.append(tuple(f"{int(month):02}-{int(number):02}" for month, number in told))
        return httpx.Response(200, json=analytics(spans[-1]))

    now = more.pop("now", NOW)
    http = Http(transport=httpx.MockTransport(answer), clock=lambda: now)
    window = Window(OPTIONS, now, cursor or {}, **more)
    pages = list(linkedin_ads.pages(linkedin_ads.connect(OPTIONS, "token", http), window))
    return spans, items_of(pages), last_cursor(pages)


def test_a_campaign_s_day() -> None:
    assert row(day()) == AdSpend(
        campaign_id="5", date=date(2026, 11, 18), campaign="Autumn", currency="EUR",
        spend=Decimal("12.3457"), impressions=100, clicks=4, follows=2, leads=0,
    )  # fmt: skip


def test_a_day_without_new_followers_reports_none() -> None:
    assert row(day(follows=0)).follows is None


@pytest.mark.parametrize(
    "more", [{"pivotValues": []}, {"dateRange": {"start": on(1), "end": on(2)}}]
)
def test_what_is_no_campaign_s_day_is_refused(more: Any) -> None:
    with pytest.raises(Refused):
        row(day(**more))


def test_names_and_currency_come_from_the_account() -> None:
    _, items, _ = fetch(lambda span: {"elements": [day()]})
    (found,) = linkedin_ads.rows(items[0], OPTIONS)
    assert isinstance(found, AdSpend)
    assert (found.campaign, found.currency) == ("Autumn", "USD")


def test_days_are_read_again_while_they_may_change() -> None:
    spans, _, cursor = fetch(lambda span: {})
    assert spans == [("11-03", "11-20")]
    assert fetch(lambda span: {}, cursor)[0] == [("11-18", "11-20")]
    later = fetch(lambda span: {}, cursor, now=NOW + timedelta(days=12))[0]
    assert later == [("11-03", "12-02")]


def test_an_answer_that_may_be_cut_off_is_asked_for_in_halves() -> None:
    def analytics(span: tuple[str, str]) -> Any:
        numbers = range(int(span[0][3:]), int(span[1][3:]) + 1)
        found = [day(number) for number in numbers]
        return {"elements": found[:1] * linkedin_ads.MOST if len(found) > 9 else found}

    spans, items, _ = fetch(analytics)
    assert spans == [("11-03", "11-20"), ("11-03", "11-11"), ("11-12", "11-20")]
    assert [item.body["dateRange"]["start"]["day"] for item in items] == list(range(3, 21))


def test_missing_scopes_are_named() -> None:
    http = Http(transport=httpx.MockTransport(lambda _: httpx.Response(403, json={})))
    with pytest.raises(SourceFailed, match="r_ads, r_ads_reporting"):
        linkedin_ads.check(linkedin_ads.connect(OPTIONS, "token", http), OPTIONS)
