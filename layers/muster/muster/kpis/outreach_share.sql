-- title: Outreach share
-- question: How often do we help people who did not ask us?
-- definition: Issues that began as talk about us and that staff answered unasked, divided by
--   answered issues.
-- unit: ratio
-- better: none
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
    avg(case when issue_kind = 'outreach' then 1.0 else 0.0 end) as value,
    count(*) as n
from opened_issues
where segment = 'all' and is_answered
group by period_start
