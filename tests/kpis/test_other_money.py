"""Money in other currencies is left out of every KPI, and listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from small_lake import at, lay

from muster.kpis import engine
from muster.kpis.other_money import other_money
from muster.records import AdSpend, Figure, Order, SiteTraffic
from muster.results import OtherMoney

DAY = date(2026, 3, 2)
SALE = Order(
    order_id="1", customer_id="a", created_at=at(1), revenue=Decimal("10.50"), currency="EUR"
)
SPENT = AdSpend(campaign_id="c", date=DAY, currency="USD", spend=Decimal(7))
VISITS = SiteTraffic(
    date=DAY, channel="email", sessions=1, visitors=1, revenue=Decimal(5), currency="GBP"
)


def test_other_currencies_are_listed_by_table_with_rows_and_sum():
    connection = engine.connect("/nowhere")
    rows = [
        SALE,
        replace(SALE, order_id="2", currency="USD"),
        replace(SALE, order_id="3", currency="USD", revenue=Decimal(1)),
        replace(SALE, order_id="4", currency="USD", created_at=at(days=8)),
        SPENT,
        # A breakdown of the same money, a day without revenue, and people.
        replace(SPENT, segment="country=US"),
        VISITS,
        replace(VISITS, channel="other", revenue=None, currency=None),
        Figure(name="employees", date=DAY, value=9, unit="people"),
        Figure(name="profit", date=DAY, value=100, unit="EUR"),
        Figure(name="Profit", date=DAY, value=50, unit="CHF"),
    ]
    lay(connection, rows)
    assert other_money(connection, "EUR", at(days=7)) == (
        OtherMoney("ad_spend", "USD", 1, 7.0),
        OtherMoney("figures", "CHF", 1, 50.0),
        OtherMoney("orders", "USD", 2, 11.5),
        OtherMoney("site_traffic", "GBP", 1, 5.0),
    )


def test_the_sum_is_the_same_in_whatever_order_its_parts_are_added():
    connection = engine.connect("/nowhere")
    spent = (Decimal("0.1"), Decimal("0.2"), Decimal("0.3"))
    lay(
        connection, [replace(SPENT, date=date(2026, 3, n), spend=m) for n, m in enumerate(spent, 2)]
    )
    assert other_money(connection, "EUR", at(days=7)) == (OtherMoney("ad_spend", "USD", 3, 0.6),)
