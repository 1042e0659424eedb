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
-- zero: all

with
written as (
    select * from human_messages where role = 'member' and author_id is not null
)
-- One row per period.
select
    periods.period_start,
    'all' as segment,
    count(distinct written.person) as value,
    count(distinct written.person) as n
from written
join periods
    on written.created_at >= periods.start_at and written.created_at < periods.end_at
group by periods.period_start
