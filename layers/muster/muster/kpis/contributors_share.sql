-- title: Contributors
-- question: How many of the members do more than read?
-- definition: Members who wrote in the period, divided by the members known (joined or written) at
--   its end.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee, audience, sales
-- starter: employee
-- goal: Many speak, not only a few | Everybody is heard | at_least 10%
-- version: 1
-- table: messages
-- lowest: 0
-- highest: 1
-- rows: select periods.period_start, known_members.person, known_members.first_at,
--   writers.person is not null as has_written from known_members join periods
--   on known_members.first_at < periods.end_at left join writers
--   on writers.period_start = periods.period_start and writers.person = known_members.person
--   order by has_written desc

select
    member_counts.period_start,
    'all' as segment,
    coalesce(cast(period_writers.members as double), 0) / member_counts.members as value,
    member_counts.members as n
from member_counts
join heard_periods
    on heard_periods.period_start = member_counts.period_start
left join period_writers
    on period_writers.period_start = member_counts.period_start
where member_counts.members > 0
