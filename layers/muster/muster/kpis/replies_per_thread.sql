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
-- lowest: 0

-- One row per period.
select
    periods.period_start,
    'all' as segment,
    avg(member_threads.replies) as value,
    count(*) as n
from member_threads
join periods
    on member_threads.opened_at >= periods.start_at and member_threads.opened_at < periods.end_at
group by periods.period_start
