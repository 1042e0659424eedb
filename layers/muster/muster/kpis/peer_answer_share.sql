-- title: Answered by peers
-- question: Do members help each other?
-- definition: Members' threads whose first answer came from a member, divided by members' threads
--   that were answered at all, by the day the thread opened.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee
-- starter: product, employee
-- version: 1
-- table: messages
-- from_days: mean
-- lowest: 0
-- highest: 1

-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    avg(case when member_threads.answered_by = 'member' then 1.0 else 0.0 end) as value,
    count(*) as n
from member_threads
join period_days
    on period_days.day = member_threads.opened_day
where member_threads.answered_by is not null
group by period_days.period_start
