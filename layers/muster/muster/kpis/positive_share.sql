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
-- rows: select period_start, 'all' as segment,
--   avg(case when sentiment >= 0.05 then 1.0 else 0.0 end) as value, count(*) as n
--   from counted_messages join period_days on period_days.day = counted_messages.day
--   where not is_staff and sentiment is not null
--   group by period_start

-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    sum(cast(daily_messages.positive as double)) / sum(daily_messages.scored) as value,
    sum(daily_messages.scored) as n
from daily_messages
join period_days
    on period_days.day = daily_messages.day
where daily_messages.scored > 0
group by period_days.period_start
