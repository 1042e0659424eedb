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
-- zero: all

with
spoken as (
    select * from human_messages where role = 'member' and author_id is not null
),
replied as (
    select
        spoken.source,
        spoken.message_id,
        spoken.person,
        spoken.created_at,
        coalesce(spoken.parent_id, thread_openings.message_id) as parent_id
    from spoken
    left join thread_openings
        on thread_openings.source = spoken.source
        and thread_openings.thread_id = spoken.thread_id
),
pairs as (
    select distinct
        periods.period_start,
        least(replied.person, parents.person) as one,
        greatest(replied.person, parents.person) as other
    from replied
    join spoken as parents
        on parents.source = replied.source
        and parents.message_id = replied.parent_id
        and parents.person <> replied.person
    join periods
        on replied.created_at >= periods.start_at and replied.created_at < periods.end_at
)
-- One row per period.
select period_start, 'all' as segment, count(*) as value, count(*) as n
from pairs
group by period_start
