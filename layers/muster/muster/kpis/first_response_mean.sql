-- title: First response, mean
-- question: How long did the answered wait on average?
-- definition: Mean time from opening to the first answer by staff, over answered issues only: it
--   looks better than it is while issues wait.
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
where is_answered
group by period_start, segment
