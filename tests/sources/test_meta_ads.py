"""Meta ads: what a campaign's day becomes, and which days are asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real import absent, bodies, objects
from recorded import items_of, last_cursor

from muster.errors import Refused, Rejected, SourceFailed
from muster.records import AdSpend, Item
from muster.sources import Window, meta_ads
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)  # still the day before in Los Angeles
OPTIONS = meta_ads.Options(name="ads", platform="meta_ads", account="7", since=date(2026, 11, 3))
ACCOUNT = {"name": "Shop", "currency": "USD", "timezone_name": "America/Los_Angeles"}


def day(**more: Any) -> dict[str, Any]:
    return {"campaign_id": "5", "campaign_name": "Autumn", "account_currency": "EUR",
            "spend": "12.345678", "impressions": "100", "clicks": "9", "inline_link_clicks": "4",
            "date_start": "2026-11-18", "date_stop": "2026-11-18", **more}  # fmt: skip


def row(body: Any, options: Any = OPTIONS, segment: str | None = None) -> AdSpend:
    (found,) = meta_ads.rows(Item("day", body, NOW, {"segment": segment}), options)
    assert isinstance(found, AdSpend)
    return found


def fetch(
    insights: Any = lambda span: {"data": []}, cursor: Any = None, options: Any = OPTIONS,
    **more: Any,
) -> tuple[list[tuple[str, str]], list[Item], Any]:  # fmt: skip
    """The spans asked for, the items read, the last cursor."""
    spans: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        if not request.url.path.endswith("/act_7/insights"):
            return httpx.Response(200, json=ACCOUNT)
        told = json.loads(query["time_range"])
        spans.append((told["since"], told["until"]))
        found = insights(spans[-1])
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    now = more.pop("now", NOW)
    http = Http(transport=httpx.MockTransport(answer), clock=lambda: now, sleep=lambda _: None)
    window = Window(options, now, cursor or {}, **more)
    pages = list(meta_ads.pages(meta_ads.connect(options, "token", http), window))
    return spans, items_of(pages), last_cursor(pages)


def test_a_campaign_s_day() -> None:
    counts = {"lead": "2", "omni_purchase": "3", "purchase": "3", "like": "6"}
    actions = [{"action_type": name, "value": value} for name, value in counts.items()]
    values = [{"action_type": "omni_purchase", "value": "180.5"},
              {"action_type": "purchase", "value": "180.5"}]  # fmt: skip
    assert row(day(actions=actions, action_values=values)) == AdSpend(
        campaign_id="5", date=date(2026, 11, 18), campaign="Autumn", currency="EUR",
        spend=Decimal("12.3457"), impressions=100, clicks=4, follows=6, leads=2, purchases=3,
        revenue=Decimal("180.5"),
    )  # fmt: skip


def test_what_a_campaign_does_not_report_has_no_value() -> None:
    found = row(day(actions=[{"action_type": "link_click", "value": "4"}]))
    assert (found.follows, found.leads, found.purchases, found.revenue) == (None,) * 4
    bare = day()
    del bare["inline_link_clicks"]
    assert row(bare).clicks == 0


def test_actions_go_by_the_names_in_the_settings() -> None:
    ours = OPTIONS.model_copy(update={"lead_action": "x", "purchase_action": "y",
                                      "follow_actions": ("a", "b")})  # fmt: skip
    told = [{"action_type": name, "value": "2"} for name in ("a", "b", "x", "y", "like", "lead")]
    found = row(day(actions=told), ours)
    assert (found.follows, found.leads, found.purchases) == (4, 2, 2)


def test_a_segment() -> None:
    assert row(day(country="FI"), segment="country").segment == "country=FI"


def test_a_whole_day_is_no_part_of_itself() -> None:
    parts = OPTIONS.model_copy(update={"segments": ("country",)})
    _, items, _ = fetch(lambda span: {"data": [day(), day(country="FI")]}, options=parts)
    told = [(item.context or {})["segment"] for item in items]
    assert told == [None, None, "country"]


def test_several_days_in_one_are_refused() -> None:
    with pytest.raises(Refused, match="2026-11-18 to 2026-11-19 is no single day"):
        row(day(date_stop="2026-11-19"))


def test_days_are_the_account_s_and_read_again_while_they_may_change() -> None:
    spans, _, cursor = fetch()
    assert spans == [("2026-11-03", "2026-11-19")]
    assert fetch(cursor=cursor)[0] == [("2026-11-17", "2026-11-19")]
    later = fetch(cursor=cursor, now=NOW + timedelta(days=20))[0]
    assert later == [("2026-11-03", "2026-12-03"), ("2026-12-04", "2026-12-09")]


def test_what_is_too_much_is_asked_for_in_halves() -> None:
    def insights(span: tuple[str, str]) -> Any:
        first, last = (date.fromisoformat(one) for one in span)
        if (last - first).days >= 6:
            told = {"code": 1, "error_subcode": 99, "message": "An unknown error occurred"}
            return httpx.Response(500, json={"error": told})
        return {"data": [day(date_start=span[0], date_stop=span[0])]}

    spans, items, _ = fetch(insights)
    read = [
        span
        for span in spans
        if (date.fromisoformat(span[1]) - date.fromisoformat(span[0])).days < 6
    ]
    days = [date.fromisoformat(first) for first, _ in read]
    assert days == [date(2026, 11, 3), date(2026, 11, 8), date(2026, 11, 12), date(2026, 11, 16)]
    assert len(items) == 4


def test_a_day_that_is_too_much_is_said() -> None:
    told = {"code": 1, "message": "Please reduce the amount of data you're asking for"}
    refusal = httpx.Response(500, json={"error": told})
    with pytest.raises(Rejected, match="^ads: Meta wants less"):
        fetch(lambda span: refusal)


def test_doctor_says_whose_days_they_are_and_what_is_missing() -> None:
    granted: list[Any] = [{"permission": "ads_read", "status": "granted"}]

    def answer(request: httpx.Request) -> httpx.Response:
        told = {"data": granted} if request.url.path.endswith("/permissions") else ACCOUNT
        return httpx.Response(200, json=told)

    api = meta_ads.connect(OPTIONS, "token", Http(transport=httpx.MockTransport(answer)))
    assert meta_ads.check(api, OPTIONS) == (
        "reads Meta ads of Shop (act_7) in USD, days of America/Los_Angeles; "
        "set timezone: America/Los_Angeles for this source"
    )
    granted.clear()
    with pytest.raises(SourceFailed, match="lacks the scope ads_read"):
        meta_ads.check(api, OPTIONS)


@given(st.decimals(0, 10**9, places=4), st.integers(0, 2**63))
def test_money_and_counts_come_out_as_they_were_told(spend: Decimal, count: int) -> None:
    found = row(day(spend=str(spend), impressions=str(count)))
    assert (found.spend, found.impressions) == (spend, count)


def recorded() -> list[Mapping[str, Any]]:
    told = [body for _, body in bodies("meta_ads", "MetaAds")]
    return [one for body in told for one in objects(body, lambda one: "date_start" in one)]


@absent
def test_every_recorded_row_comes_out() -> None:
    """Recorded are sums of accounts over several days; each is dressed as a campaign's day."""
    assert len(recorded()) > 5
    for told in recorded():
        whole = {**day(), **told, "inline_link_clicks": told["clicks"]}
        with pytest.raises(Refused, match=f"{told['date_start']} to {told['date_stop']}"):
            row(whole)
        found = row({**whole, "date_stop": told["date_start"]})
        assert (found.spend, found.clicks) == (Decimal(told["spend"]), int(told["clicks"]))
        assert str(found.date) == told["date_start"]
