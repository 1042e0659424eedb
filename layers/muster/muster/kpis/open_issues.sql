-- title: Open issues
-- question: How much is on our desk?
-- definition: Issues that at the period's end were neither resolved nor escalated; an outreach
--   issue counts from our answer on.
-- unit: count
-- better: down
-- statistic: count
-- communities: support, product, employee
-- version: 2
-- table: messages
-- from_days: last
-- lowest: 0
-- zero: all
-- rows: select periods.period_start, issues.source, issues.message_id, issues.opened_at,
--   issues.issue_kind from issues join periods on issues.issue_at < periods.end_at
--   where (issues.resolved_at is null or issues.resolved_at >= periods.end_at)
--   and (issues.escalated_at is null or issues.escalated_at >= periods.end_at)
--   order by opened_at

-- One row per period: the state at its end.
select
    periods.period_start,
    'all' as segment,
    sum(open_spans.issues) as value,
    sum(open_spans.issues) as n
from open_spans
join periods
    on open_spans.from_day < periods.end_on and open_spans.to_day >= periods.end_on
where open_spans.kind = 'open'
group by periods.period_start
