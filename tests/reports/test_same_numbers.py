"""The same numbers everywhere: every KPI's value in mail, text part, JSON, page, CSV and lake.

Each value is written here a second time, by other code than the report's, from the lake's row.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from functools import cache
from html import unescape
from typing import Any

import pytest
from measured import AS_OF, build
from published import whole

from muster.kpis import catalogue
from muster.measured import KpiValue
from muster.reports import email, site, words
from muster.reports.inert import slug
from muster.results import Kpi
from muster.settings import Report, Settings

KPIS = catalogue.load()
LANGUAGES = ("en", "de")
SENT = datetime(2026, 11, 23, 5, tzinfo=UTC)


def last_of(grain: str) -> date:
    """The last whole period before AS_OF."""
    return {"week": date(2026, 11, 16), "month": date(2026, 10, 1), "quarter": date(2026, 7, 1),
            "year": date(2025, 1, 1), "day": date(2026, 11, 22)}[grain]  # fmt: skip


def rows(kpi: Kpi, number: int) -> list[KpiValue]:
    """One value, unlike those of other KPIs; of weeks two, so that there is a change."""
    grain = kpi.grain_at("week")
    value = {"seconds": 1_000.0 * number + 7, "ratio": min(0.01 * number + 0.0049, 0.99),
             "count": 1_000.0 + number, "money": 12_345.678 + number,
             "score": 0.0137 * number}[kpi.unit]  # fmt: skip
    start = last_of(grain)
    # What waits for a window is shown as of an earlier week: the value stands in both.
    starts = [start - timedelta(weeks=back) for back in range(3, -1, -1)]
    return [
        KpiValue(kpi=kpi.id, version=kpi.version, grain=grain, period_start=one, segment="all",
                 value=value, n=90, too_few=False, partial=False)
        for one in (starts if grain == "week" else [start])
    ]  # fmt: skip


VALUES = {kpi.id: rows(kpi, number) for number, kpi in enumerate(KPIS, 1)}


@cache
def report(language: str) -> Any:
    settings = Settings(community="Campus IT", timezone="Europe/Berlin", currency="EUR")
    every = Report(kpis=tuple(kpi.id for kpi in KPIS), language=language)
    kpi_values = [value for one in VALUES.values() for value in one]
    return build(KPIS, kpi_values, settings, every, as_of=AS_OF)


@cache
def mail(language: str) -> Any:
    made = email.render(
        report(language), sender="a@example.org", recipient="b@example.org", message_id="m@x",
        date=SENT,
    )  # fmt: skip
    return message_from_bytes(made.as_bytes(), policy=policy.default)


@cache
def pages(language: str) -> dict[str, bytes]:
    return whole(site.render([report(language)]))


def written(kpi: Kpi, language: str) -> str:
    """The lake's value as people write it, by rules of its own."""
    value = VALUES[kpi.id][-1].value
    if kpi.unit == "seconds":
        return span(round(value))
    if kpi.unit == "ratio":
        percent = number(f"{value * 100:.1f}", language)
        return f"{percent}%" if language == "en" else f"{percent} %"
    if kpi.unit == "money":
        amount = number(f"{value:,.2f}", language)
        return f"€{amount}" if language == "en" else f"{amount} €"
    if kpi.unit == "score":
        return number(f"{value:.{1 if (kpi.highest or 0) >= 50 else 2}f}", language)
    return number(f"{value:,.{1 if kpi.statistic in ('mean', 'quantile') else 0}f}", language)


def number(text: str, language: str) -> str:
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))


def span(seconds: int) -> str:
    """The two largest units, the second one rounded."""
    if seconds < 2 * 86_400:
        minutes = round(seconds / 60)
        parts = [(minutes // 60, "h"), (minutes % 60, "min")]
    else:
        hours = round(seconds / 3600)
        parts = [(hours // 24, "d"), (hours % 24, "h")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def titles(language: str) -> dict[str, str]:
    return {kpi.id: words.load(language).kpi(kpi).title for kpi in KPIS}


def text_of(page: str) -> str:
    body = re.sub(r"<(style|script|svg|details)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_part_of_the_mail(language: str) -> None:
    shown = mail(language).get_body(("plain",)).get_content().splitlines()
    for kpi in KPIS:
        assert f"{titles(language)[kpi.id]}: {written(kpi, language)}" in shown, kpi.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_html_of_the_mail(language: str) -> None:
    """Rows that the mail leaves to the site, since Gmail would cut it, are counted."""
    page = mail(language).get_body(("html",)).get_content()
    found = re.findall(r'<span class="name"[^>]*>(.*?)</span>.*?<td class="row value"[^>]*>(.*?)<',
                       page, flags=re.S)  # fmt: skip
    # A number and its unit stay on one line.
    shown = {unescape(title): unescape(value).replace("\xa0", " ") for title, value in found}
    expected = {titles(language)[kpi.id]: written(kpi, language) for kpi in KPIS}
    assert shown.items() <= expected.items()
    left = len(KPIS) - len(shown)
    assert len(shown) > 50
    assert not left or words.load(language)("more_on_site", n=left) in text_of(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_json_and_csv_hold_the_lake_s_own_numbers(language: str) -> None:
    files = pages(language)
    kpis = {one["kpi"]: one for one in json.loads(files["data/kpis.json"])["kpis"]}
    sent = json.loads(files["data/reports/2026-W47.json"])["report"]["measures"]
    measures = {one["kpi"]: one for one in sent}
    for kpi in KPIS:
        row = VALUES[kpi.id][-1]
        for told in (kpis[kpi.id], measures[kpi.id]):
            assert (told["value"], told["n"]) == (row.value, row.n)
            assert told["value_text"] == written(kpi, language), kpi.id
        table = csv.DictReader(io.StringIO(files[f"data/{slug(kpi.id)}.csv"].decode()))
        *_, last = table
        assert (float(last["value"]), int(last["n"])) == (row.value, row.n)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_each_kpi_and_the_overview(language: str) -> None:
    files = pages(language)
    overview = text_of(files["index.html"].decode())
    measures = text_of(files["measures.html"].decode())
    for kpi in KPIS:
        title, value = titles(language)[kpi.id], written(kpi, language)
        own = files[f"kpi/{slug(kpi.id)}.html"].decode()
        assert f'<b class="value big">{value}</b>' in unescape(own), kpi.id
        assert f"{title} {value} " in overview, kpi.id
        question = words.load(language).kpi(kpi).question
        # Behind the question its own period stands, where that is not the report's.
        row = rf"{re.escape(f'{title} {question}')}( · [^·]{{4,40}})? {re.escape(value)} "
        assert re.search(row, measures), kpi.id


def test_every_value_is_unlike_the_others() -> None:
    """Else a wrong number could stand in another's place."""
    told = [(kpi.unit, written(kpi, "en")) for kpi in KPIS]
    assert len(set(told)) == len(told) == len(KPIS) > 70
