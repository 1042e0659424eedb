-- title: Solution rate
-- question: How many questions end with an accepted solution?
-- definition: Members' threads with an accepted solution, divided by members' threads, in
--   solution_channels (default: the channels that ever had a solution), by the day the thread
--   opened.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product
-- starter: product
-- goal: Questions end with a solution | Make the product easy to use | at_least 50%
-- version: 1
-- table: threads
-- from_days: mean
-- lowest: 0
-- highest: 1

with
openings as (
    select * from thread_openings where role = 'member' and not is_deleted
),
solved as (
    select source, thread_id, min(created_at) as created_at
    from solutions
    group by source, thread_id
),
opened as (
    select
        openings.source,
        openings.thread_id,
        coalesce(threads.channel, openings.channel) as channel,
        openings.day,
        coalesce(coalesce(threads.solved_at, solved.created_at) < $as_of, false) as is_solved
    from openings
    left join threads
        on threads.source = openings.source and threads.thread_id = openings.thread_id
    left join solved
        on solved.source = openings.source and solved.thread_id = openings.thread_id
),
channels as (
    select distinct opened.source, coalesce(opened.channel, '') as channel
    from opened
    left join solution_channels
        on solution_channels.channel = opened.channel
    where solution_channels.channel is not null
        or (opened.is_solved and not exists (select 1 from solution_channels))
)
-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    avg(case when opened.is_solved then 1.0 else 0.0 end) as value,
    count(*) as n
from opened
join channels
    on channels.source = opened.source and channels.channel = coalesce(opened.channel, '')
join period_days
    on period_days.day = opened.day
group by period_days.period_start
