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
