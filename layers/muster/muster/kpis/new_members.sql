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
-- lowest: 0
-- zero: all

-- One row per period.
select period_days.period_start, 'all' as segment, count(*) as value, count(*) as n
from known_members
join period_days
    on period_days.day = known_members.first_day
group by period_days.period_start
