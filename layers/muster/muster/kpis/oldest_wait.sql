-- title: Oldest wait
-- question: How long had the one waiting longest been waiting?
-- definition: Age, at the period's end, of the oldest inbound issue that then was neither
--   answered by staff nor resolved.
-- unit: seconds
-- better: down
-- statistic: state
-- communities: support, product, employee
-- starter: support
-- version: 2
-- table: messages
-- from_days: last
-- lowest: 0
-- rows: select periods.period_start, issues.source, issues.message_id, issues.opened_at,
--   date_diff('millisecond', issues.opened_at, periods.end_at) / 1000.0 as age_seconds
--   from issues join periods on issues.opened_at < periods.end_at
--   where issues.issue_kind = 'inbound'
--   and (issues.first_response_at is null or issues.first_response_at >= periods.end_at)
--   and (issues.resolved_at is null or issues.resolved_at >= periods.end_at)
--   order by age_seconds desc

-- One row per period: the state at its end.
select
    periods.period_start,
    'all' as segment,
    max(date_diff('millisecond', open_spans.oldest_at, periods.end_at)) / 1000.0 as value,
    sum(open_spans.issues) as n
from open_spans
join periods
    on open_spans.from_day < periods.end_on and open_spans.to_day >= periods.end_on
where open_spans.kind = 'waiting'
group by periods.period_start
