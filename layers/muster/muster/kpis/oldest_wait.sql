-- title: Oldest wait
-- question: How long had the one waiting longest been waiting?
-- definition: Age, at the period's end, of the oldest inbound issue that then was neither
--   answered by staff nor resolved.
-- unit: seconds
-- better: down
-- statistic: state
-- communities: support, product, employee
-- starter: support
-- version: 1
-- table: messages
-- lowest: 0

-- One row per period: the state at its end.
select
    periods.period_start,
    'all' as segment,
    max(date_diff('millisecond', issues.opened_at, periods.end_at)) / 1000.0 as value,
    count(*) as n
from issues
join periods
    on issues.opened_at < periods.end_at
where issues.issue_kind = 'inbound'
    and (issues.first_response_at is null or issues.first_response_at >= periods.end_at)
    and (issues.resolved_at is null or issues.resolved_at >= periods.end_at)
group by periods.period_start
