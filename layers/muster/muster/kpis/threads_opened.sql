-- title: Threads opened
-- question: How much do members start?
-- definition: Threads opened by members.
-- unit: count
-- better: up
-- statistic: count
-- communities: support, product, employee, audience, sales
-- version: 1
-- table: messages
-- zero: all

-- One row per period.
select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
from member_threads
join periods
    on member_threads.opened_at >= periods.start_at and member_threads.opened_at < periods.end_at
group by periods.period_start
