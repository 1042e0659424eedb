-- title: Threads opened
-- question: How much do members start?
-- definition: Threads opened by members.
-- unit: count
-- better: up
-- statistic: count
-- communities: support, product, employee, audience, sales
-- version: 1
-- table: messages
-- from_days: sum
-- lowest: 0
-- zero: all

-- One row per period.
select period_days.period_start, 'all' as segment, count(*) as value, count(*) as n
from member_threads
join period_days
    on period_days.day = member_threads.opened_day
group by period_days.period_start
