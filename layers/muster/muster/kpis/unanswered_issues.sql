-- title: Unanswered issues
-- question: How many people were still waiting for us?
-- definition: Inbound issues opened before the period's end that then were neither answered by
--   staff nor resolved.
-- unit: count
-- better: down
-- statistic: count
-- communities: support, product, employee
-- starter: support
-- version: 1
-- table: messages
-- zero: all

-- One row per period: the state at its end.
select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
from issues
join periods
    on issues.opened_at < periods.end_at
where issues.issue_kind = 'inbound'
    and (issues.first_response_at is null or issues.first_response_at >= periods.end_at)
    and (issues.resolved_at is null or issues.resolved_at >= periods.end_at)
group by periods.period_start
