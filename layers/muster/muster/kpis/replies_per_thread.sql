-- title: Replies per thread
-- question: Do members' threads become conversations?
-- definition: Mean number of human messages after the first in members' threads, by the day the
--   thread opened.
-- unit: count
-- better: up
-- statistic: mean
-- communities: support, product, employee, audience, sales
-- starter: employee
-- version: 1
-- table: messages
-- from_days: mean
-- lowest: 0

-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    avg(member_threads.replies) as value,
    count(*) as n
from member_threads
join period_days
    on period_days.day = member_threads.opened_day
group by period_days.period_start
