-- title: On-time delivery
-- question: Do we keep our delivery promises?
-- definition: Orders delivered by their promised time, divided by orders whose promised time has
--   passed, by the order's day. Only shops that tell deliveries.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: sales
-- starter: sales
-- goal: Deliver when we said | Sell what keeps its promise | at_least 95%
-- version: 1
-- table: orders
-- from_days: mean
-- lowest: 0
-- highest: 1

with
due as (
    select * from placed_orders where is_delivery_told and promised_at < $as_of
)
-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    avg(case when due.delivered_at <= due.promised_at then 1.0 else 0.0 end) as value,
    count(*) as n
from due
join period_days
    on period_days.day = due.day
group by period_days.period_start
