"""What a reader must know of the data: money left out, and whose days a source counts."""

from __future__ import annotations

from dataclasses import replace

from measured import build, source

from muster.results import OtherMoney


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
