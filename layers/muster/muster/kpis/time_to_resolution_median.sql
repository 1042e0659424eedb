-- title: Time to resolution, median
-- question: How long until half of the issues are resolved?
-- definition: Kaplan-Meier median of the time from opening to resolution; an escalated issue
--   counts with its time until the escalation, an open one with its time so far; an assumed
--   resolution includes its quiet hours.
-- unit: seconds
-- better: down
-- statistic: quantile
-- communities: support, product, employee
-- version: 2
-- table: messages
-- lowest: 0
-- rows: select period_start, segment, source, message_id, opened_at, resolution_seconds,
--   resolved_at is not null as is_resolved from opened_issues
--   order by resolution_seconds desc

-- One row per period: the smallest time by which at most 0.5 of the issues still wait.
select period_start, segment, t as value, n
from issue_quantiles
where clock = 'resolution' and share = 0.5
