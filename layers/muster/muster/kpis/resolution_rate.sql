-- title: Resolution rate
-- question: How many issues are resolved in time?
-- definition: Issues resolved within the resolution window (default 7 days), divided by those
--   whose window has passed.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee
-- starter: support
-- goal: Solve most of it within a week | Be the place people turn to for help | at_least 70%
-- version: 2
-- table: messages
-- from_days: mean
-- lowest: 0
-- highest: 1
-- settles: resolution

-- One row per period.
select
    period_start,
    'all' as segment,
    avg(
        case
            when resolved_at is not null and resolution_seconds <= resolution_window
                then 1.0
            else 0.0
        end
    ) as value,
    count(*) as n
from opened_issues
where segment = 'all' and age_seconds > resolution_window
group by period_start
