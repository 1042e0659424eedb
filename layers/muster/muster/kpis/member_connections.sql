-- title: Member connections
-- question: How many members talk with each other?
-- definition: Pairs of members of whom one replied to the other in the period, each pair once. A
--   message without a parent replies to the one that opened its thread.
-- unit: count
-- better: up
-- statistic: count
-- communities: support, product, employee, audience, sales
-- starter: employee
-- version: 1
-- table: messages
-- lowest: 0
-- zero: all

select period_start, 'all' as segment, pairs as value, pairs as n
from period_connections
