-- title: Stickiness
-- question: Do members come by daily, or once in a while?
-- definition: Mean number of active members a day (days without any included), divided by the
--   active members of the period.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee, audience, sales
-- starter: employee
-- version: 1
-- table: messages
-- grains: month, quarter, year
-- lowest: 0
-- highest: 1
-- rows: select period_start, person, days from writers order by days desc

with
day_counts as (  -- the days of each period, up to as_of
    select periods.period_start, count(*) as days
    from periods
    join every_period as day
        on day.period_start >= periods.period_start and day.period_start < periods.end_on
    where day.grain = 'day'
    group by periods.period_start
)
-- One row per period.
select
    period_writers.period_start,
    'all' as segment,
    cast(period_writers.days as double) / day_counts.days / period_writers.members as value,
    period_writers.members as n
from period_writers
join day_counts
    on day_counts.period_start = period_writers.period_start
