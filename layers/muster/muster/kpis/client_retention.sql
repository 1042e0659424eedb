-- title: Client retention
-- question: Do those who bought come back in the next period?
-- definition: Customers of the period before who ordered in this one too, divided by the customers
--   of the period before.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: sales
-- starter: sales
-- version: 1
-- table: orders
-- lowest: 0
-- highest: 1

with
earlier as (  -- one row per period and customer of the period before
    select periods.period_start, customers.customer
    from customers
    join periods as before
        on before.period_start = customers.period_start
    join periods
        on periods.period_start = before.end_on
),
known as (  -- that nobody came back is known only of a period we know something of
    select period_start from customers
    union
    select period_start from covered_periods where table_name = 'orders'
)
-- One row per period.
select
    earlier.period_start,
    'all' as segment,
    avg(case when again.customer is not null then 1.0 else 0.0 end) as value,
    count(*) as n
from earlier
join known
    on known.period_start = earlier.period_start
left join customers as again
    on again.period_start = earlier.period_start and again.customer = earlier.customer
group by earlier.period_start
