-- title: Active members
-- question: How many members take part?
-- definition: Persons among the members with at least one message in the period.
-- unit: count
-- better: up
-- statistic: count
-- communities: support, product, employee, audience, sales
-- starter: product, employee, audience
-- goal: More people take part | People help each other | increase_by 5%
-- version: 1
-- table: messages
-- lowest: 0
-- zero: all

-- One row per period.
select period_start, 'all' as segment, members as value, members as n
from period_writers
