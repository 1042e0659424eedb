"""What a reader must know of the data: money left out, and whose days a source counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from measured import build, kpi, source, values

from muster.errors import RateLimited, Rejected, SourceFailed, Unavailable
from muster.results import OtherMoney
from muster.settings import Report, Settings


def test_money_in_other_currencies_is_listed():
    spent = (OtherMoney("ad_spend", "USD", 1, 1234.5), OtherMoney("orders", "CHF", 12, 7))
    assert build((), (), other_money=spent).missing == (
        "Money in USD is left out: 1 row of ad spend, USD 1,234.50. Amounts are in EUR.",
        "Money in CHF is left out: 12 rows of orders, CHF 7.00. Amounts are in EUR.",
    )


def test_a_source_whose_days_are_of_its_own_zone_says_so():
    ads = replace(source("ads"), timezone="America/New_York")
    told = [one.platform for one in build((), (), sources=(ads, source())).freshness]
    assert told == ["discourse, days of America/New_York", "discourse"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Rejected("x: no", 401), "die Plattform verweigert den Zugriff"),
        (Rejected("x: no", 410), "gibt es dort nicht mehr"),
        (Rejected("x: no", 400), "lässt sich nicht lesen"),
        (SourceFailed("x: no"), "lässt sich nicht lesen"),
        (RateLimited("x: slowly", 9), "bittet um eine Pause"),
        (Unavailable("x: 503"), "antwortet nicht"),
    ],
)
def test_why_a_source_is_stale_is_told_in_the_report_s_language(error, told):
    ill = replace(source("x", str(error), True), trouble=error.trouble)
    german = build((), (), sources=(ill,), report=Report(language="de"))
    (line,) = german.missing
    assert told in line and str(error) not in line
    assert german.freshness[0].detail == str(error)
    english = build((), (), sources=(ill,))
    assert str(error) in english.missing[0] and not english.freshness[0].detail


def test_an_error_of_before_kinds_were_told_is_told_too():
    ill = source("x", "something", True)
    (line,) = build((), (), sources=(ill,), report=Report(language="de")).missing
    assert "lässt sich nicht lesen" in line


def test_of_many_measures_without_a_goal_the_first_are_named_and_the_others_counted():
    made = [kpi(f"k{number:02}") for number in range(14)]
    (line,) = build(made, [one for each in made for one in values(each.id, [1, 2])]).missing
    assert line.endswith("; K10; K11; and 2 more.")


def test_what_lacks_data_for_one_reason_stands_in_one_line():
    kpis = [kpi("a"), kpi("b"), kpi("c", table="reviews"), kpi("d"), kpi("e")]
    few = [*values("d", [1, 2], few=(1,)), *values("e", [1, 3], few=(1,))]
    named = Report(kpis=tuple("abcde"))
    found = build(kpis, few, Settings(community="C"), named).missing
    assert found[:3] == (
        "No data for A; B: no whole week to measure in messages yet.",
        "No data for C: no whole week to measure in reviews yet.",
        "Fewer than 5 cases, too few to read: D (2); E (2).",
    )


def test_a_source_that_nothing_was_imported_for_is_named():
    sources = (source("desk", last=None), source("x"))
    assert build((), (), sources=sources).missing == ("Nothing has been imported for desk yet.",)
