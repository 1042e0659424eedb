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

with
scored as (
    select * from counted_messages where not is_staff and sentiment is not null
)
-- One row per period.
select period_days.period_start, 'all' as segment, avg(scored.sentiment) as value, count(*) as n
from scored
join period_days
    on period_days.day = scored.day
group by period_days.period_start
