-- title: Messages
-- question: How much do members write?
-- definition: Messages written by members.
-- unit: count
-- better: none
-- statistic: count
-- communities: support, product, employee, audience, sales
-- version: 1
-- table: messages
-- zero: all

with
written as (
    select * from human_messages where role = 'member'
)
-- One row per period.
select
    periods.period_start,
    'all' as segment,
    count(*) as value,
    count(*) as n
from written
join periods
    on written.created_at >= periods.start_at and written.created_at < periods.end_at
group by periods.period_start
