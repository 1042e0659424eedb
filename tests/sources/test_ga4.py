"""Google Analytics: what reports become, which are asked for, and what is said of their flaws."""

from __future__ import annotations

import json
import logging
import lzma
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
from real import DATA, absent, bodies, objects
from recorded import items_of, last_cursor

from muster.errors import RateLimited, SourceFailed
from muster.records import Item, SiteTraffic
from muster.sources import Window, _ga4_rows, ga4
from muster.sources._answer import Answer
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = ga4.Options(name="site", platform="ga4", account="7", timezone="Europe/Helsinki",
                      since=date(2026, 11, 15))  # fmt: skip
VISITS = ("date", ga4.CHANNEL)
EVENTS = (*VISITS, "eventName")
COUNTS = ("sessions", "eventCount")


def report(dimensions: Any, metrics: Any, *rows: Any, **told: Any) -> dict[str, Any]:
    width = len(dimensions)
    return {
        "dimensionHeaders": [{"name": one} for one in dimensions],
        "metricHeaders": [{"name": one, "type": "TYPE_INTEGER"} for one in metrics],
        "rows": [{"dimensionValues": [{"value": str(one)} for one in row[:width]],
                  "metricValues": [{"value": str(one)} for one in row[width:]]} for row in rows],
        "rowCount": len(rows), "metadata": {"timeZone": "Europe/Helsinki", "currencyCode": "EUR"},
        **told,
    }  # fmt: skip


def fetch(
    answers: Any = lambda asked: {}, cursor: Any = None, options: Any = OPTIONS, **more: Any
) -> tuple[list[dict[str, Any]], list[Item], Any]:
    """The reports asked for, the items read, the last cursor."""
    calls: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.read())
        calls.append({**asked, "path": request.url.path})
        found = answers(asked)
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    now = more.pop("now", NOW)
    http = Http(transport=httpx.MockTransport(answer), clock=lambda: now, patience=1)
    window = Window(options, now, cursor or {}, **more)
    pages = list(ga4.pages(ga4.connect(options, "token", http), window))
    return calls, items_of(pages), last_cursor(pages)


def traffic(items: list[Item], options: Any = OPTIONS) -> dict[Any, SiteTraffic]:
    rows = [row for item in items for row in ga4.rows(item, options)]
    keys = {(str(row.date), row.channel, row.segment): row for row in rows}
    assert len(keys) == len(rows)
    return keys


def names(asked: Mapping[str, Any], what: str) -> list[str]:
    return [one["name"] for one in asked[what]]


def only(visits: Any, events: Any = None) -> Any:
    """Answers with these reports, wherever they are asked for."""

    def answers(asked: Mapping[str, Any]) -> Any:
        return (events or {}) if "eventName" in names(asked, "dimensions") else visits

    return answers


DAY = "20261118"


def test_channel_groups_that_are_one_channel_are_added_up() -> None:
    visits = report(VISITS, ga4.METRICS, (DAY, "Organic Social", 10, 9, 4, 2, "20.5"),
                    (DAY, "Organic Video", 5, 5, 1, 1, "9.99"), (DAY, "Display", 2, 2, 0, 0, "0"),
                    (DAY, "(other)", 3, 1, 0, 0, "0"))  # fmt: skip
    events = report(EVENTS, COUNTS, (DAY, "Organic Social", "add_to_cart", 4, 7),
                    (DAY, "Organic Social", "purchase", 1, 1),
                    (DAY, "Organic Video", "add_to_cart", 1, 1),
                    (DAY, "Organic Social", "generate_lead", 2, 3))  # fmt: skip
    options = OPTIONS.model_copy(update={"channels": {"Organic Video": "organic_social"}})
    found = traffic(fetch(only(visits, events), options=options)[1], options)
    assert found[("2026-11-18", "organic_social", "all")] == SiteTraffic(
        date=date(2026, 11, 18), channel="organic_social", sessions=15, visitors=14,
        abandoned_sessions=4, leads=3, add_to_carts=5, purchases=3, revenue=Decimal("30.49"),
        currency="EUR",
    )  # fmt: skip
    assert found[("2026-11-18", "other", "all")].sessions == 5


def test_a_day_that_two_pages_share_is_one_row() -> None:
    row = (DAY, "Direct", 10, 9, 0, 0, "1")

    def answers(asked: Mapping[str, Any]) -> Any:
        if "eventName" in names(asked, "dimensions"):
            return {}
        other = (DAY, "Referral" if asked["offset"] == "1" else "Direct", 1, 1, 0, 0, "0")
        return report(VISITS, ga4.METRICS, other if asked["offset"] == "1" else row, rowCount=2)

    calls, items, _ = fetch(answers)
    assert [one["offset"] for one in calls] == ["0", "1", "0"]
    assert len(items) == 1 and len(traffic(items)) == 2


def test_a_row_that_comes_again_counts_once() -> None:
    rows = [(DAY, "Organic Social", 10, 9, 0, 0, "1"), (DAY, "Organic Social", 11, 9, 0, 0, "1")]
    (found,) = traffic(fetch(only(report(VISITS, ga4.METRICS, *rows)))[1]).values()
    assert found.sessions == 11


def test_rows_that_come_twice_on_a_page_hide_none_of_the_next() -> None:
    rows = [(DAY, channel, 10, 9, 0, 0, "1") for channel in ("Direct", "Email", "Referral")]

    def answers(asked: Mapping[str, Any]) -> Any:
        if "eventName" in names(asked, "dimensions"):
            return {}
        page = rows[2:] if asked["offset"] == "2" else [*rows[:2], *rows[:2]]
        return report(VISITS, ga4.METRICS, *page, rowCount=3)

    assert len(traffic(fetch(answers)[1])) == 3


def test_segments_are_reports_of_their_own() -> None:
    def answers(asked: Mapping[str, Any]) -> Any:
        if names(asked, "dimensions") != [*VISITS, "countryId"]:
            return {}
        return report((*VISITS, "countryId"), ga4.METRICS, (DAY, "Direct", "FI", 3, 2, 0, 0, "0"))

    options = OPTIONS.model_copy(update={"segments": ("country", "customEvent:plan")})
    calls, items, _ = fetch(answers, options=options)
    assert list(traffic(items, options)) == [("2026-11-18", "direct", "country=FI")]
    asked = {tuple(names(one, "dimensions")[-1:]) for one in calls}
    assert ("countryId",) in asked and ("customEvent:plan",) in asked


def test_days_that_may_still_change_are_read_again() -> None:
    def dates(calls: list[dict[str, Any]]) -> set[tuple[str, str]]:
        spans = [one["dateRanges"][0] for one in calls]
        return {(one["startDate"], one["endDate"]) for one in spans}

    calls, _, cursor = fetch()
    assert dates(calls) == {("2026-11-15", "2026-11-20")}
    assert dates(fetch(cursor=cursor)[0]) == {("2026-11-18", "2026-11-20")}
    later = fetch(cursor=cursor, now=NOW + timedelta(days=9))[0]
    assert dates(later) == {("2026-11-15", "2026-11-29")}


def test_the_property_says_whose_days_they_are() -> None:
    unknown = OPTIONS.model_copy(update={"timezone": None})
    late = datetime(2026, 11, 20, 23, tzinfo=UTC)  # the next day in Helsinki
    calls, _, cursor = fetch(only(report(VISITS, ga4.METRICS)), options=unknown, now=late)
    assert cursor["zone"] == "Europe/Helsinki"
    assert calls[0]["dateRanges"][0]["startDate"] == "28daysAgo"
    assert calls[1]["dateRanges"][0]["endDate"] == "2026-11-21"


FLAWS = {
    "subjectToThresholding": (True, "withholds rows of few visitors"),
    "dataLossFromOtherRow": (True, r"puts rows together as \(other\)"),
    "samplingMetadatas": ([{"samplesReadCount": "1"}], "samples"),
    "dataTruncationReasons": (["REASON"], "leaves rows out"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_figures_that_are_not_whole_are_told(flaw: str, caplog: pytest.LogCaptureFixture) -> None:
    value, told = FLAWS[flaw]
    metadata = {"timeZone": "Europe/Helsinki", "currencyCode": "EUR", flaw: value}
    with caplog.at_level(logging.WARNING):
        fetch(only(report(VISITS, ga4.METRICS, metadata=metadata)))
    assert [record.getMessage()[:9] for record in caplog.records] == ["site: GA4"]
    assert re.search(told, checked(report(VISITS, ga4.METRICS, metadata=metadata)))


def test_another_report_than_was_asked_for_is_left_out_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, items, _ = fetch(lambda asked: report(("city",), ("users",), ("Oulu", 3)))
    assert items == []
    assert "another report" in caplog.text


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("Exhausted property tokens for a project per hour.", 2700),
        ("Exhausted potentially thresholded requests quota.", 2700),
        ("Exhausted property tokens per day. They will return in under 24 hours.", 71100),
        ("Exhausted concurrent requests quota.", 30),
    ],
)
def test_a_quota_comes_back_with_its_hour_or_its_pacific_day(said: str, wait: float) -> None:
    body = {"error": {"code": 429, "message": said, "status": "RESOURCE_EXHAUSTED"}}
    now = NOW + timedelta(minutes=15)
    with pytest.raises(RateLimited) as caught:
        fetch(lambda _: httpx.Response(429, json=body), now=now)
    assert caught.value.seconds == wait


def checked(body: Any, options: Any = OPTIONS) -> str:
    """What doctor says of a property that answers so."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    return ga4.check(ga4.connect(options, "token", Http(transport=transport)), options)


def test_doctor_says_which_zone_to_set() -> None:
    other = OPTIONS.model_copy(update={"timezone": "UTC"})
    said = checked(report(VISITS, ga4.METRICS), other)
    assert said == ("reads Google Analytics property 7 in EUR, days of Europe/Helsinki; "
                    "set timezone: Europe/Helsinki for this source")  # fmt: skip


def test_an_account_is_a_number() -> None:
    assert fetch(options=OPTIONS.model_copy(update={"account": "properties/7"}))[0][0]["path"] == (
        "/v1beta/properties/7:runReport"
    )
    with pytest.raises(ValidationError):
        ga4.Options(name="s", platform="ga4", account="G-ABC123")


def test_without_a_secret_it_says_what_to_give() -> None:
    with pytest.raises(SourceFailed, match="^site: needs the JSON key file of a service account"):
        ga4.connect(OPTIONS, None, Http())


channels = st.sampled_from(["Direct", "Organic Social", "Display", "(other)", "Unassigned", "🙂"])
counts = st.integers(0, 10**12)


@given(st.lists(st.tuples(channels, counts, counts), unique_by=lambda row: row[0]), st.data())
def test_nothing_is_lost_or_counted_twice_however_pages_are_cut(rows: Any, data: Any) -> None:
    whole = [(f"202611{10 + n % 5}", name, visits, visits, carts, 0, "0.1")
             for n, (name, visits, carts) in enumerate(rows)]  # fmt: skip
    cut = data.draw(st.integers(0, len(whole)))
    cuts = [report(VISITS, ga4.METRICS, *part) for part in (whole[:cut], whole[cut:])]
    answers = [Answer(one, 200, {}, NOW) for one in cuts]
    items = list(_ga4_rows.by_day(answers, [], {"segment": None, "currency": "EUR"}))
    found = traffic(items)
    assert sum(row.sessions for row in found.values()) == sum(row[2] for row in whole)
    assert sum(row.add_to_carts for row in found.values()) == sum(row[4] for row in whole)
    revenue = sum(row.revenue or 0 for row in found.values())
    assert revenue == Decimal("0.1") * len(whole)


def recorded() -> list[dict[str, Any]]:
    told = [body for _, body in bodies("ga4", "AnalyticsResponse")]
    is_report = lambda one: one.get("kind") == "analyticsData#runReport"  # noqa: E731
    return [one for body in told for one in objects(body, is_report)]


@absent
def test_every_recorded_row_comes_out_on_its_day() -> None:
    """Recorded are reports of users by day; dressed as visits of one channel."""
    assert recorded()
    for told in recorded():
        assert [one["name"] for one in told["dimensionHeaders"]] == ["date"]
        plain = [(row["dimensionValues"][0]["value"], row["metricValues"][0]["value"])
                 for row in told["rows"]]  # fmt: skip
        dressed = [(day, "Direct", count, count, 0, 0, "0") for day, count in plain]
        body = {**told, **report(VISITS, ga4.METRICS, *dressed), "metadata": told["metadata"]}
        context = {"segment": None, "currency": told["metadata"]["currencyCode"]}
        found = traffic(list(_ga4_rows.by_day([Answer(body, 200, {}, NOW)], [], context)))
        days = {datetime.strptime(day, "%Y%m%d").date() for day, _ in plain}
        assert {row.date for row in found.values()} == days
        assert sum(row.sessions for row in found.values()) == sum(int(one) for _, one in plain)
        assert {row.currency for row in found.values()} == {"EUR"}


@pytest.mark.skipif(not (DATA / "specs").is_dir(), reason="../shared/data is absent")
def test_what_is_sent_and_read_is_in_google_s_own_document() -> None:
    path = DATA / "specs" / "analyticsdata.v1beta.json.xz"
    spec = json.loads(lzma.decompress(path.read_bytes()))
    schemas = {name: set(one["properties"]) for name, one in spec["schemas"].items()}
    for asked in fetch()[0]:
        assert set(asked) - {"path"} <= schemas["RunReportRequest"]
    assert set(report((), ())) <= schemas["RunReportResponse"]
    assert set(FLAWS) | {"timeZone", "currencyCode"} <= schemas["ResponseMetaData"]
    assert {"dimensionValues", "metricValues"} == schemas["Row"]
    assert {"fieldName", "inListFilter"} <= schemas["Filter"]
    method = spec["resources"]["properties"]["methods"]["runReport"]
    assert method["path"] == "v1beta/{+property}:runReport" and ga4.SCOPE in method["scopes"]


def test_the_property_s_own_zone_overrules_the_settings() -> None:
    other = OPTIONS.model_copy(update={"timezone": "UTC"})
    assert fetch(only(report(VISITS, ga4.METRICS)), options=other)[2]["zone"] == "Europe/Helsinki"


@pytest.mark.parametrize(
    "error",
    [
        {"message": "no", "details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]},
        {"message": "Request had insufficient authentication scopes."},
    ],
)
def test_a_missing_scope_is_named(error: Any) -> None:
    refusal = httpx.Response(403, json={"error": error})
    http = Http(transport=httpx.MockTransport(lambda _: refusal))
    with pytest.raises(SourceFailed, match="lacks the scope .*analytics.readonly"):
        ga4.check(ga4.connect(OPTIONS, "token", http), OPTIONS)
