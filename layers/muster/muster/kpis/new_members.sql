-- title: New members
-- question: How many join us?
-- definition: Members who joined in the period; where the platform does not tell when, whose first
--   message (as far back as the lake reaches) lies in it. A person on several platforms joins once.
-- unit: count
-- better: up
-- statistic: count
-- communities: support, product, employee, audience, sales
-- version: 1
-- table: messages
-- zero: all

-- One row per period.
select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
from known_members
join periods
    on known_members.first_at >= periods.start_at and known_members.first_at < periods.end_at
group by periods.period_start
