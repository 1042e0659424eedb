-- title: Reply limit kept
-- question: How often do we resolve an issue within the agreed number of messages?
-- definition: Resolved issues with at most reply_limit (default 4) messages by staff up to the
--   resolution, divided by resolved issues.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee
-- starter: support
-- goal: Solve it in few messages | Spend the team's time where it helps most | at_least 90%
-- version: 2
-- table: messages
-- from_days: mean
-- lowest: 0
-- highest: 1

-- One row per period.
select
    period_start,
    'all' as segment,
    avg(case when staff_messages_to_resolution <= $reply_limit then 1.0 else 0.0 end) as value,
    count(*) as n
from resolved_issues
group by period_start
