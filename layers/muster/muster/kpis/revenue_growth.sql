-- title: Revenue growth
-- question: Do we earn more than the period before?
-- definition: Revenue of the period's orders divided by that of the period before, less one; only
--   orders in the settings' currency. Nothing sold after a period with revenue is -100 %. No value
--   while the period runs, nor after a period that no fetch or import covers.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: sales
-- version: 2
-- table: orders

with
takings as (
    select
        period_days.period_start,
        sum(placed_orders.revenue) as revenue,
        count(*) as orders_placed
    from placed_orders
    join period_days
        on period_days.day = placed_orders.day
    where placed_orders.currency = $currency
    group by period_days.period_start
),
known as (  -- that nothing was sold is known only of a period we know something of
    select period_start from takings
    union
    select period_start from covered_periods where table_name = 'orders'
)
-- One row per period; n is what the growth is measured by.
select
    periods.period_start,
    'all' as segment,
    coalesce(takings.revenue, 0) / before.revenue - 1 as value,
    before.orders_placed as n
from periods
join known
    on known.period_start = periods.period_start
left join takings
    on takings.period_start = periods.period_start
join periods as earlier
    on earlier.end_on = periods.period_start
join takings as before
    on before.period_start = earlier.period_start
join covered_periods
    on covered_periods.period_start = before.period_start
    and covered_periods.table_name = 'orders'
where not periods.is_partial and before.revenue > 0
