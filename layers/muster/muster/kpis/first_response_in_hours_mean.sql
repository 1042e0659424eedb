-- title: First response while open, mean
-- question: How fast are we while we are open?
-- definition: Mean time from opening to the first answer by staff, over answered issues that were
--   opened inside business hours.
-- unit: seconds
-- better: down
-- statistic: mean
-- communities: support, product, employee
-- version: 2
-- table: messages
-- from_days: mean
-- lowest: 0

-- One row per period and segment.
select period_start, segment, avg(wait_seconds) as value, count(*) as n
from opened_issues
where is_answered and is_in_hours
group by period_start, segment
