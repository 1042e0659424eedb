"""What ad platforms and Google Analytics say becomes the KPIs of money; added up here once more
from their answers as they were recorded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from small_lake import measured, values

from muster.records import TABLES

sys.path.append(str(Path(__file__).parents[1] / "sources"))  # where recordings are read
from recorded import Recorded, items_of  # noqa: E402

AS_OF = datetime(2026, 11, 21, tzinfo=UTC)
WEEK = "2026-11-16"
PLATFORMS = ("ga4", "meta_ads", "google_ads", "linkedin_ads")
KPIS = ("cost_per_visitor", "cost_per_subscriber", "conversion_rate", "social_visitors", "leads",
        "revenue")  # fmt: skip
SOCIAL = ("Organic Social", "Organic Video")  # as the recording's settings say


@pytest.fixture(scope="module")
def outcome() -> Any:
    """The KPIs of the rows that the recordings become."""
    rows, sources = [], []
    for name in PLATFORMS:
        one = Recorded(name)
        merged, refused = one.rows(items_of(one.pages(one.wire())))
        assert not refused
        here = one.options.name
        rows += [(here, TABLES[key[0]].row(**told)) for key, told in merged.items()]
        sources.append({"name": here, "platform": name, "account": one.options.account})
    return measured(rows, as_of=AS_OF, kpis=KPIS, currency="EUR", sources=sources)


def answers(name: str, first_day: str, without: str) -> Iterator[Any]:
    """The recorded answers to what asks from the first day on, and does not say ``without``."""
    for exchange in Recorded(name).told["exchanges"]:
        asked = str(exchange["request"])
        if first_day in asked and without not in asked:
            yield exchange["response"]["body"]


def spent_on_social() -> Fraction:
    """What campaigns on Meta and LinkedIn cost together."""
    meta = [row["spend"] for body in answers("meta_ads", "2026-11-17", "breakdowns")
            for row in body["data"]]  # fmt: skip
    linkedin = [row["costInLocalCurrency"] for body in answers("linkedin_ads", "day:17", "none")
                for row in body["elements"]]  # fmt: skip
    return sum(map(Fraction, meta + linkedin), Fraction())


def visits(*groups: str) -> dict[str, Fraction]:
    """Sums over GA4's channel groups, of the report that is broken down by nothing else."""
    sums: dict[str, Fraction] = {}
    for body in answers("ga4", "2026-11-17", "countryId"):
        names = [head["name"] for head in body["metricHeaders"]]
        for row in body["rows"] if "totalUsers" in names else ():
            if row["dimensionValues"][1]["value"] in groups:
                for name, told in zip(names, row["metricValues"], strict=True):
                    sums[name] = sums.get(name, Fraction()) + Fraction(told["value"])
    return sums


def test_a_visitor_s_cost_is_all_social_ads_over_paid_visitors(outcome: Any) -> None:
    expected = spent_on_social() / visits("Paid Social")["totalUsers"]
    told = values(outcome, "cost_per_visitor", segment="paid_social")
    assert told == {WEEK: pytest.approx(float(expected), abs=1e-5)}
    assert values(outcome, "cost_per_visitor", segment="paid_search") == {}  # nobody came by it


def test_a_follower_s_cost_is_that_of_campaigns_that_won_some(outcome: Any) -> None:
    assert values(outcome, "cost_per_subscriber") == {WEEK: pytest.approx((5 + 5) / (7 + 7))}


def test_visits_purchases_and_money_are_those_of_the_reports(outcome: Any) -> None:
    organic, paid = visits(*SOCIAL), visits("Paid Social")
    told = values(outcome, "conversion_rate", segment="organic_social")
    assert told == {WEEK: pytest.approx(float(organic["ecommercePurchases"] / organic["sessions"]))}
    both = organic["totalUsers"] + paid["totalUsers"]
    assert values(outcome, "social_visitors") == {WEEK: float(both)}
    money = values(outcome, "revenue", segment="organic_social")
    assert money == {WEEK: pytest.approx(float(organic["purchaseRevenue"]))}


def test_leads_are_events_and_not_sessions(outcome: Any) -> None:
    assert values(outcome, "leads", segment="organic_social") == {WEEK: 4}
    assert values(outcome, "leads", segment="paid_social") == {WEEK: 2}
