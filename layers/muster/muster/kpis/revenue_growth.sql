-- title: Revenue growth
-- question: Do we earn more than the period before?
-- definition: Revenue of the period's orders divided by that of the period before, less one; only
--   orders in the settings' currency. No value while the period runs, nor after a period that no
--   fetch or import covers.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: sales
-- version: 1
-- table: orders

with
takings as (
    select
        periods.period_start,
        periods.end_on,
        periods.is_partial,
        sum(placed_orders.revenue) as revenue,
        count(*) as orders_placed
    from placed_orders
    join period_days
        on period_days.day = placed_orders.day
    join periods
        on periods.period_start = period_days.period_start
    where placed_orders.currency = $currency
    group by periods.period_start, periods.end_on, periods.is_partial
)
-- One row per period; n is what the growth is measured by.
select
    takings.period_start,
    'all' as segment,
    takings.revenue / before.revenue - 1 as value,
    before.orders_placed as n
from takings
join takings as before
    on before.end_on = takings.period_start
join covered_periods
    on covered_periods.period_start = before.period_start
    and covered_periods.table_name = 'orders'
where not takings.is_partial and before.revenue > 0
