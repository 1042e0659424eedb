-- title: New clients
-- question: How many buy from us for the first time?
-- definition: Customers whose first order, as far back as the lake reaches, lies in the period; a
--   person with two accounts is one customer.
-- unit: count
-- better: up
-- statistic: count
-- communities: sales
-- starter: sales
-- goal: Win more clients | Grow the business | increase_by 10%
-- version: 1
-- table: orders
-- lowest: 0
-- zero: all

-- One row per period.
select period_start, 'all' as segment, count(*) as value, count(*) as n
from customers
where is_new
group by period_start
