-- title: Negative messages
-- question: How much of what members write is unhappy?
-- definition: Members' messages with a sentiment of at most -0.05, divided by those that have a score.
-- unit: ratio
-- better: down
-- statistic: ratio
-- communities: support, product, employee, audience
-- starter: product
-- version: 1
-- table: messages
-- lowest: 0
-- highest: 1

with
scored as (
    select * from human_messages where role = 'member' and sentiment is not null
)
-- One row per period.
select
    periods.period_start,
    'all' as segment,
    avg(case when scored.sentiment <= -0.05 then 1.0 else 0.0 end) as value,
    count(*) as n
from scored
join periods
    on scored.created_at >= periods.start_at and scored.created_at < periods.end_at
group by periods.period_start
