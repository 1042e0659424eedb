-- title: Stickiness
-- question: Do members come by daily, or once in a while?
-- definition: Mean number of active members a day (days without any included), divided by the
--   active members of the period.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee, audience, sales
-- version: 1
-- table: messages
-- grains: month, quarter, year
-- lowest: 0
-- highest: 1

with
days as (  -- one row per period and day of it, up to as_of
    select periods.period_start, day.period_start as day, day.start_at, day.end_at
    from every_period as day
    join periods
        on day.period_start >= periods.period_start and day.period_start < periods.end_on
    where day.grain = 'day'
),
day_counts as (
    select period_start, count(*) as days from days group by period_start
),
visits as (  -- one row per period, day and member who wrote on it
    select distinct days.period_start, days.day, human_messages.person
    from human_messages
    join days
        on human_messages.created_at >= days.start_at and human_messages.created_at < days.end_at
    where human_messages.role = 'member' and human_messages.author_id is not null
)
-- One row per period.
select
    visits.period_start,
    'all' as segment,
    cast(count(*) as double) / max(day_counts.days) / count(distinct visits.person) as value,
    count(distinct visits.person) as n
from visits
join day_counts
    on day_counts.period_start = visits.period_start
group by visits.period_start
