-- title: Refund rate
-- question: How many orders do we have to refund?
-- definition: Orders refunded since, divided by orders, by the order's day.
-- unit: ratio
-- better: down
-- statistic: ratio
-- communities: sales
-- starter: sales
-- goal: Few refunds | Sell what keeps its promise | at_most 5%
-- version: 1
-- table: orders
-- from_days: mean
-- lowest: 0
-- highest: 1

-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    avg(case when placed_orders.refunded_at is not null then 1.0 else 0.0 end) as value,
    count(*) as n
from placed_orders
join period_days
    on period_days.day = placed_orders.day
group by period_days.period_start
