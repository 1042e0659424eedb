-- title: Profit margin
-- question: What is left of each sale?
-- definition: Revenue less cost of goods, divided by revenue, over the orders whose cost is known,
--   in the settings' currency.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: sales
-- version: 1
-- table: orders

with
costed as (
    select * from placed_orders where cost is not null and currency = $currency
)
-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    sum(costed.revenue - costed.cost) / sum(costed.revenue) as value,
    count(*) as n
from costed
join period_days
    on period_days.day = costed.day
group by period_days.period_start
having sum(costed.revenue) > 0
