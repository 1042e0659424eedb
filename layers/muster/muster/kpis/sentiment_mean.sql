-- title: Sentiment
-- question: In what mood do members write?
-- definition: Mean sentiment (-1 to 1) of members' messages in the languages the scorer knows; n
--   says how many were scored.
-- unit: score
-- better: up
-- statistic: mean
-- communities: support, product, employee, audience
-- starter: product, employee
-- version: 1
-- table: messages
-- from_days: mean
-- lowest: -1
-- highest: 1
-- rows: select period_start, 'all' as segment,
--   avg(sentiment) as value, count(*) as n
--   from counted_messages join period_days on period_days.day = counted_messages.day
--   where not is_staff and sentiment is not null
--   group by period_start

-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    sum(daily_messages.sentiment) / sum(daily_messages.scored) as value,
    sum(daily_messages.scored) as n
from daily_messages
join period_days
    on period_days.day = daily_messages.day
where daily_messages.scored > 0
group by period_days.period_start
