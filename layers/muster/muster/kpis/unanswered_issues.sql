-- title: Unanswered issues
-- question: How many people were still waiting for us?
-- definition: Inbound issues opened before the period's end that then were neither answered by
--   staff nor resolved.
-- unit: count
-- better: down
-- statistic: count
-- communities: support, product, employee
-- starter: support
-- version: 2
-- table: messages
-- from_days: last
-- lowest: 0
-- zero: all
-- rows: select periods.period_start, issues.source, issues.message_id, issues.opened_at
--   from issues join periods on issues.opened_at < periods.end_at
--   where issues.issue_kind = 'inbound'
--   and (issues.first_response_at is null or issues.first_response_at >= periods.end_at)
--   and (issues.resolved_at is null or issues.resolved_at >= periods.end_at)
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
where open_spans.kind = 'waiting'
group by periods.period_start
