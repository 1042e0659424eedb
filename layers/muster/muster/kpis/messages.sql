-- title: Messages
-- question: How much do members write?
-- definition: Messages written by members.
-- unit: count
-- better: none
-- statistic: count
-- communities: support, product, employee, audience, sales
-- version: 1
-- table: messages
-- from_days: sum
-- zero: all

with
written as (
    select * from counted_messages where not is_staff
)
-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    count(*) as value,
    count(*) as n
from written
join period_days
    on period_days.day = written.day
group by period_days.period_start
