-- title: Reopened
-- question: How often was 'resolved' not the end?
-- definition: Resolved issues that a member reopened within the reopen window (default 14 days),
--   divided by resolved issues.
-- unit: ratio
-- better: down
-- statistic: ratio
-- communities: support, product, employee
-- starter: support
-- version: 2
-- table: messages
-- from_days: mean
-- lowest: 0
-- highest: 1
-- settles: reopen

-- One row per period.
select
    period_start,
    'all' as segment,
    avg(
        case
            when date_diff('millisecond', resolved_at, reopened_at) / 1000.0 <= reopen_window
                then 1.0
            else 0.0
        end
    ) as value,
    count(*) as n
from resolved_issues
group by period_start
