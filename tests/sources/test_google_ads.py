"""Google Ads: what a campaign's day becomes, which queries are asked, what is refused."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from real import absent, bodies
from recorded import items_of, last_cursor

from muster.errors import RateLimited, Rejected, SourceFailed
from muster.records import AdSpend, Item
from muster.sources import Window, _google_ads_rows, google_ads
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)  # still the day before in Los Angeles
OPTIONS = google_ads.Options(name="ads", platform="google_ads", account="123-456-7890",
                             since=date(2026, 11, 3))  # fmt: skip
CONTEXT = {"currency": "EUR", "countries": [], "campaign": "5", "day": "2026-11-18"}


def cost(day: str = "2026-11-18", micros: Any = 12_340_000, **more: Any) -> dict[str, Any]:
    return {
        "campaign": {"id": "5", "name": "Brand"},
        "segments": {"date": day, **more.pop("by", {})},
        "metrics": {"costMicros": str(micros), "impressions": "100", "clicks": "4"},
        **more,
    }


def conversion(category: str, count: float, value: float = 0.0) -> dict[str, Any]:
    return {"campaign": {"id": "5"}, "segments": {"conversionActionCategory": category},
            "metrics": {"conversions": count, "conversionsValue": value}}  # fmt: skip


def spend(body: Any, options: Any = OPTIONS, **context: Any) -> list[AdSpend]:
    found = list(google_ads.rows(Item("day", body, NOW, {**CONTEXT, **context}), options))
    assert all(isinstance(row, AdSpend) for row in found)
    return found  # type: ignore[return-value]


def customer(zone: str = "America/Los_Angeles", **more: Any) -> list[Any]:
    told = {"id": "1234567890", "descriptiveName": "Shop", "currencyCode": "USD",
            "timeZone": zone, **more}  # fmt: skip
    return [{"results": [{"customer": told}]}]


class Ads:
    """Answers by the resource that is asked for; notes what is."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"customer": customer(), **answers}
        self.calls: list[tuple[str, str]] = []
        self.headers: list[Mapping[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = json.loads(request.read())["query"]
        self.calls.append((request.url.path.split("/")[3], query))
        self.headers.append(request.headers)
        found = self.answers.get(re.search(r"FROM (\w+)", query)[1], [])  # type: ignore[index]
        found = found(query) if callable(found) else found
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    def fetch(
        self, cursor: Any = None, options: Any = OPTIONS, **more: Any
    ) -> tuple[list[Item], Any]:
        now = more.pop("now", NOW)
        http = Http(transport=httpx.MockTransport(self), clock=lambda: now, patience=1)
        window = Window(options, now, cursor or {}, **more)
        secret = '{"access_token": "a token", "developer_token": "a developer token"}'
        pages = list(google_ads.pages(google_ads.connect(options, secret, http), window))
        return items_of(pages), last_cursor(pages)

    def spans(self, part: str = "metrics.cost_micros") -> list[tuple[str, str]]:
        found = [
            re.findall(r"'(\d{4}-\d\d-\d\d)'", query) for _, query in self.calls if part in query
        ]
        return [(one[0], one[1]) for one in found]


def failure(status: int, kind: str, code: str, **details: Any) -> httpx.Response:
    error = {"errorCode": {kind: code}, "message": "no way", "details": details}
    told = {"code": status, "message": "no", "details": [{"errors": [error]}],
            "status": "RESOURCE_EXHAUSTED" if status == 429 else "PERMISSION_DENIED"}  # fmt: skip
    return httpx.Response(status, json=[{"error": told}])


def test_a_campaign_s_day() -> None:
    conversions = [conversion("PURCHASE", 1.5, 100.0), conversion("PURCHASE", 0.4, 80.255),
                   conversion("CONTACT", 2.0), conversion("QUALIFIED_LEAD", 1.2),
                   conversion("PAGE_VIEW", 40.0)]  # fmt: skip
    assert spend({"costs": [cost()], "conversions": conversions}) == [AdSpend(
        campaign_id="5", date=date(2026, 11, 18), campaign="Brand", currency="EUR",
        spend=Decimal("12.34"), impressions=100, clicks=4, leads=3, purchases=2,
        revenue=Decimal("180.255"),
    )]  # fmt: skip


def test_what_is_not_told_has_no_value() -> None:
    (found,) = spend({"costs": [cost()]})
    assert (found.leads, found.purchases, found.revenue, found.follows) == (None,) * 4


def test_parts_of_a_segment_are_added_up() -> None:
    by_country = [cost(geographicView={"countryCriterionId": "2276"}) for _ in range(2)]
    by_country.append(cost(geographicView={"countryCriterionId": "2999"}))
    body = {"country": by_country, "device": [cost(by={"device": "MOBILE"})],
            "age": [cost(adGroupCriterion={"ageRange": {"type": "AGE_RANGE_18_24"}})] * 2,
            "gender": [cost(adGroupCriterion={"gender": {"type": "FEMALE"}})]}  # fmt: skip
    known = [{"geoTargetConstant": {"id": "2276", "countryCode": "DE"}}]
    found = {row.segment: row.spend for row in spend(body, countries=known)}
    one = Decimal("12.34")
    assert found == {"country=DE": 2 * one, "country=2999": one, "device=mobile": one,
                     "age=18_24": 2 * one, "gender=female": one}  # fmt: skip


def test_days_are_the_account_s_and_read_again_while_they_may_change() -> None:
    ads = Ads()
    _, cursor = ads.fetch()
    assert ads.spans() == [("2026-11-03", "2026-11-19")]
    again = Ads()
    again.fetch(cursor)
    assert again.spans() == [("2026-11-17", "2026-11-19")]
    assert again.spans("conversion_action_category") == again.spans()
    later = Ads()
    later.fetch(cursor, now=NOW + timedelta(days=20))
    assert later.spans()[0][0] == "2026-11-03" and later.spans()[-1][1] == "2026-12-09"


def test_a_manager_stands_for_its_enabled_accounts() -> None:
    leaves = [{"customerClient": {"id": number, "currencyCode": "EUR", "timeZone": zone}}
              for number, zone in (("11", "Asia/Tokyo"), ("12", "UTC"))]  # fmt: skip
    ads = Ads(customer=customer(manager=True), customer_client=[{"results": leaves}])
    ads.fetch()
    (asked,) = [query for _, query in ads.calls if "customer_client.id" in query]
    assert "manager = FALSE" in asked and "status = 'ENABLED'" in asked
    assert {account for account, query in ads.calls if "metrics" in query} == {"11", "12"}
    assert {one["login-customer-id"] for one in ads.headers} == {"1234567890"}
    assert {one["developer-token"] for one in ads.headers} == {"a developer token"}
    assert [last for _, last in ads.spans()] == ["2026-11-20", "2026-11-20"]


def test_an_account_that_is_not_enabled_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    leaves = [{"customerClient": {"id": number, "timeZone": "UTC"}} for number in ("11", "12")]
    refusal = failure(403, "authorizationError", "CUSTOMER_NOT_ENABLED")
    ads = Ads(
        customer=customer(manager=True), customer_client=[{"results": leaves}], campaign=refusal
    )
    items, cursor = ads.fetch()
    assert items == [] and "account 12 is not enabled" in caplog.text
    assert cursor["days"] == {"11": {}, "12": {}}  # once it is enabled, all is read


def test_another_manager_s_access() -> None:
    ads = Ads()
    ads.fetch(options=OPTIONS.model_copy(update={"manager": "999-888-7777"}))
    assert {one["login-customer-id"] for one in ads.headers} == {"9998887777"}


def test_a_query_that_is_too_dear_is_asked_for_in_halves() -> None:
    def campaign(query: str) -> Any:
        first, last = (date.fromisoformat(one) for one in re.findall(r"'([\d-]{10})'", query))
        if (last - first).days > 9:
            return failure(429, "quotaError", "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION")
        return [{"results": [cost(str(first))]}] if "cost_micros" in query else []

    ads = Ads(campaign=campaign)
    items, _ = ads.fetch()
    assert ads.spans() == [("2026-11-03", "2026-11-19"), ("2026-11-03", "2026-11-11"),
                           ("2026-11-12", "2026-11-19")]  # fmt: skip
    assert [(item.context or {})["day"] for item in items] == ["2026-11-03", "2026-11-12"]


@pytest.mark.parametrize(
    ("code", "details", "wait"),
    [
        ("RESOURCE_EXHAUSTED", {"quotaErrorDetails": {"retryDelay": "900s"}}, 900),
        ("RESOURCE_EXHAUSTED", {}, 3600),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", {}, 60),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", {"quotaErrorDetails": {"retryDelay": "2.5s"}}, 2.5),
    ],
)
def test_a_quota_is_waited_for(code: str, details: Any, wait: float) -> None:
    with pytest.raises(RateLimited) as caught:
        Ads(customer=failure(429, "quotaError", code, **details)).fetch()
    assert caught.value.seconds == wait


def test_what_is_refused_is_said_in_google_s_words() -> None:
    with pytest.raises(
        Rejected, match=r"ads: Google Ads refuses \(403\): no way USER_PERMISSION_DENIED"
    ):
        Ads(customer=failure(403, "authorizationError", "USER_PERMISSION_DENIED")).fetch()
    with pytest.raises(Rejected, match="ACCESS_PROHIBITED"):
        Ads(customer=failure(429, "quotaError", "ACCESS_PROHIBITED")).fetch()


def test_an_answer_to_another_query_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    other = [{"results": [cost()], "fieldMask": "metrics.clicks,segments.date"}]
    with caplog.at_level(logging.WARNING):
        assert Ads(campaign=other).fetch()[0] == []
    assert "Google Ads answered another query: campaign" in caplog.text


def checked(ads: Ads, options: Any = OPTIONS) -> str:
    http = Http(transport=httpx.MockTransport(ads), clock=lambda: NOW)
    return google_ads.check(google_ads.connect(options, "token", http), options)


def test_doctor_says_whose_days_they_are_and_what_is_missing() -> None:
    assert checked(Ads()) == (
        "reads Google Ads of Shop (1234567890) in USD, days of America/Los_Angeles; "
        "set timezone: America/Los_Angeles for this source"
    )
    told = {"error": {"details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}], "message": "no"}}
    with pytest.raises(SourceFailed, match="lacks the scope .*auth/adwords"):
        checked(Ads(customer=httpx.Response(403, json=[told])))


def test_an_account_is_a_number_of_ten_digits() -> None:
    with pytest.raises(ValidationError):
        google_ads.Options(name="a", platform="google_ads", account="123")


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=5))
def test_no_millionth_is_lost_before_the_sum_is_rounded(micros: list[int]) -> None:
    (found,) = spend({"costs": [cost(micros=one) for one in micros]})
    assert found.spend == round(Decimal(sum(micros)) / 10**6, 4)


def recorded() -> list[Any]:
    told = [body for _, body in bodies("google_ads", "GoogleAdwords")]
    return [row for body in told for part in body for row in part["results"]]


@absent
def test_every_recorded_row_comes_out() -> None:
    """Recorded are accounts' days; each is dressed as a campaign's."""
    assert len(recorded()) > 20
    for told in recorded():
        row = {**told, "campaign": {"id": "5", "name": "Brand"}}
        (item,) = _google_ads_rows.by_day({"costs": [row]}, NOW, CONTEXT)
        (found,) = google_ads.rows(item, OPTIONS)
        assert isinstance(found, AdSpend)
        assert str(found.date) == told["segments"]["date"]
        assert found.clicks == int(told["metrics"]["clicks"])
        assert abs(found.spend * 10**6 - int(told["metrics"]["costMicros"])) <= 50


@absent
def test_every_recorded_answer_names_its_fields_as_queries_do() -> None:
    asked = ("metrics.clicks", "metrics.cost_micros", "segments.date")
    parts = [part for _, body in bodies("google_ads", "GoogleAdwords") for part in body]
    assert parts and all(_google_ads_rows.answers(part, asked) for part in parts)
    assert not any(_google_ads_rows.answers(part, asked[:2]) for part in parts)
