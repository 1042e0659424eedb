-- title: Repeat clients
-- question: How many come back to buy?
-- definition: Customers who ordered in the period and had ordered before it began.
-- unit: count
-- better: up
-- statistic: count
-- communities: sales
-- starter: sales
-- version: 1
-- table: orders
-- lowest: 0
-- zero: all

-- One row per period.
select period_start, 'all' as segment, count(*) as value, count(*) as n
from customers
where not is_new
group by period_start
