-- title: Contributors
-- question: How many of the members do more than read?
-- definition: Members who wrote in the period, divided by the members known (joined or written) at
--   its end.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee, audience, sales
-- version: 1
-- table: messages
-- lowest: 0
-- highest: 1

with
known as (
    select periods.period_start, count(*) as members
    from known_members
    join periods
        on known_members.first_at < periods.end_at
    group by periods.period_start
),
wrote as (
    select period_start, count(*) as members from writers group by period_start
)
-- One row per period.
select
    known.period_start,
    'all' as segment,
    coalesce(cast(wrote.members as double), 0) / known.members as value,
    known.members as n
from known
join heard_periods
    on heard_periods.period_start = known.period_start
left join wrote
    on wrote.period_start = known.period_start
