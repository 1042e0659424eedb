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
    periods.period_start,
    'all' as segment,
    sum(costed.revenue - costed.cost) / sum(costed.revenue) as value,
    count(*) as n
from costed
join periods
    on costed.created_at >= periods.start_at and costed.created_at < periods.end_at
group by periods.period_start
having sum(costed.revenue) > 0
