-- title: Issues opened
-- question: How many people came to us with something?
-- definition: Conversations a member opened towards us, or about us with our answer, by the day
--   they opened.
-- unit: count
-- better: none
-- statistic: count
-- communities: support, product, employee
-- starter: support, product
-- version: 2
-- table: messages
-- from_days: sum
-- lowest: 0
-- zero: all

-- One row per period.
select period_start, segment, count(*) as value, count(*) as n
from opened_issues
where segment = 'all'
group by period_start, segment
