-- title: Positive messages
-- question: How much of what members write is happy?
-- definition: Members' messages with a sentiment of at least 0.05, divided by those that have a score.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee, audience
-- version: 1
-- table: messages
-- from_days: mean
-- lowest: 0
-- highest: 1

with
scored as (
    select * from counted_messages where not is_staff and sentiment is not null
)
-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    avg(case when scored.sentiment >= 0.05 then 1.0 else 0.0 end) as value,
    count(*) as n
from scored
join period_days
    on period_days.day = scored.day
group by period_days.period_start
