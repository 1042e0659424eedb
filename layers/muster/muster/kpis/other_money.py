"""The lake → the money it holds in other currencies than the community's, which no KPI counts."""

from __future__ import annotations

from datetime import datetime

import duckdb

from muster.kpis.periods import naive
from muster.results import OtherMoney

# Rounded as money is kept: the last digits of a sum depend on the order of its parts.
_FOUND = """
with
money as (
    select 'orders' as table_name, currency, revenue as amount
    from orders
    where created_at < $as_of
    union all
    select 'ad_spend', currency, spend from ad_spend where segment = 'all' and date < $as_of
    union all
    select 'site_traffic', currency, revenue
    from site_traffic
    where segment = 'all' and date < $as_of and revenue is not null
    union all
    select 'figures', unit, value from figures where lower(name) = 'profit' and date < $as_of
)
select table_name, currency, count(*), round(cast(sum(amount) as double), 4)
from money
where currency <> $currency
group by table_name, currency
order by table_name, currency
"""


def other_money(
    connection: duckdb.DuckDBPyConnection, currency: str, as_of: datetime
) -> tuple[OtherMoney, ...]:
    """Rows and sum of each table and currency but the community's ``currency``."""
    asked = {"currency": currency, "as_of": naive(as_of)}
    return tuple(OtherMoney(*row) for row in connection.execute(_FOUND, asked).fetchall())
