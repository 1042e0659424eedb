-- title: Profit per employee
-- question: How much does each of us earn for the company?
-- definition: Sum of the period's profit figures in the settings' currency, divided by the last
--   number of employees known at the period's end (figures 'profit' and 'employees').
-- unit: money
-- better: up
-- statistic: state
-- communities: sales, employee
-- version: 1
-- table: figures
-- grains: month, quarter, year

with
profits as (
    select periods.period_start, periods.end_on, sum(figures.value) as profit
    from figures
    join periods
        on figures.date >= periods.period_start and figures.date < periods.end_on
    where lower(figures.name) = 'profit' and figures.unit = $currency
    group by periods.period_start, periods.end_on
),
headcounts as (
    select date, sum(value) as employees
    from figures
    where lower(name) = 'employees'
    group by date
),
last_counts as (
    select profits.period_start, profits.profit, max(headcounts.date) as counted_on
    from profits
    join headcounts
        on headcounts.date < profits.end_on
    group by profits.period_start, profits.profit
)
-- One row per period.
select
    last_counts.period_start,
    'all' as segment,
    last_counts.profit / headcounts.employees as value,
    round(headcounts.employees) as n
from last_counts
join headcounts
    on headcounts.date = last_counts.counted_on
where headcounts.employees > 0
