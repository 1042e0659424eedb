-- title: Escalation rate
-- question: How often do we send people elsewhere?
-- definition: Answered issues in which staff sent the member to another channel, divided by
--   answered issues.
-- unit: ratio
-- better: down
-- statistic: ratio
-- communities: support, product, employee
-- version: 2
-- table: messages
-- from_days: mean
-- lowest: 0
-- highest: 1

-- One row per period.
select
    period_start,
    'all' as segment,
    avg(case when escalated_at is not null then 1.0 else 0.0 end) as value,
    count(*) as n
from opened_issues
where segment = 'all' and is_answered
group by period_start
