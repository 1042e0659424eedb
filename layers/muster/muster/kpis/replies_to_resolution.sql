-- title: Replies to resolution
-- question: How many messages of ours does a resolution take?
-- definition: Mean number of messages by staff up to the resolution, in resolved issues.
-- unit: count
-- better: down
-- statistic: mean
-- communities: support, product, employee
-- version: 2
-- table: messages
-- from_days: mean
-- lowest: 0

-- One row per period.
select
    period_start,
    'all' as segment,
    avg(staff_messages_to_resolution) as value,
    count(*) as n
from resolved_issues
group by period_start
