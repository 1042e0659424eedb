-- title: Member connections
-- question: How many members talk with each other?
-- definition: Pairs of members of whom one replied to the other in the period, each pair once. A
--   message without a parent replies to the one that opened its thread.
-- unit: count
-- better: up
-- statistic: count
-- communities: support, product, employee, audience, sales
-- starter: employee
-- version: 1
-- table: messages
-- zero: all

with
pairs as (
    select distinct period_days.period_start, daily_connections.one, daily_connections.other
    from daily_connections
    join period_days
        on period_days.day = daily_connections.day
)
-- One row per period.
select period_start, 'all' as segment, count(*) as value, count(*) as n
from pairs
group by period_start
