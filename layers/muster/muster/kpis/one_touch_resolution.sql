-- title: One-touch resolution
-- question: How often is one answer enough?
-- definition: Resolved issues with exactly one message by staff up to the resolution, divided by
--   resolved issues.
-- unit: ratio
-- better: up
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
    avg(case when staff_messages_to_resolution = 1 then 1.0 else 0.0 end) as value,
    count(*) as n
from resolved_issues
group by period_start
