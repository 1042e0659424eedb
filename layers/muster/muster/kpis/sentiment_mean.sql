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
-- lowest: -1
-- highest: 1

with
scored as (
    select * from human_messages where role = 'member' and sentiment is not null
)
-- One row per period.
select periods.period_start, 'all' as segment, avg(scored.sentiment) as value, count(*) as n
from scored
join periods
    on scored.created_at >= periods.start_at and scored.created_at < periods.end_at
group by periods.period_start
