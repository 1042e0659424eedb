-- title: Open issues
-- question: How much is on our desk?
-- definition: Issues that at the period's end were neither resolved nor escalated; an outreach
--   issue counts from our answer on.
-- unit: count
-- better: down
-- statistic: count
-- communities: support, product, employee
-- version: 1
-- table: messages
-- zero: all

-- One row per period: the state at its end.
select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
from issues
join periods
    on issues.issue_at < periods.end_at
where (issues.resolved_at is null or issues.resolved_at >= periods.end_at)
    and (issues.escalated_at is null or issues.escalated_at >= periods.end_at)
group by periods.period_start
