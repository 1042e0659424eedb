"""A shop's KPIs (orders, reviews, surveys, ads, visits, audiences), counted again in plain Python.

Written from the words of the definitions, not from their SQL; :mod:`test_recounted` does the same
for all that messages tell. Together they count every KPI there is.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from comparing import KPIS, Key, Value, differing, marked
from recount_audience import Audiences
from recount_market import Market
from recount_periods import START_OF, Period, midnight, periods
from recount_shop import Business, Known
from shop import FIRST, shop
from thorough import tries
from village import Village

TOLD = ("messages", "threads")  # what test_recounted counts
COUNTED = {one.id for one in KPIS.values() if one.table not in TOLD} | {"engagement_rate"}


def recomputed(told: Village) -> dict[Key, Value]:
    known, zone = Known(told), ZoneInfo(told.settings["timezone"])
    business, market, audiences = Business(known), Market(known), Audiences(known)
    first, found = midnight(FIRST, zone), dict[Key, Value]()
    for grain in START_OF:
        before = Period(grain, START_OF[grain](FIRST - timedelta(days=400)), zone, first)
        for period in periods(grain, zone, first, told.as_of):
            spent = sum(market.spent(period).values(), Decimal())
            values = (
                *business.of(period, before, spent),
                *market.of(period),
                *audiences.of(period),
            )
            found |= marked(told, period, values, COUNTED)
            before = period
    return found


@pytest.mark.parametrize("seed", range(tries(1, 30)))
def test_values_are_those_of_a_count_by_hand(seed):
    told = shop(seed)
    wanted = recomputed(told)
    assert COUNTED - {key[0] for key in wanted} <= {"targeted_subscribers_gained"}
    assert not differing(told, wanted, COUNTED)
