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
-- lowest: 0
-- highest: 1
-- rows: select period_days.period_start, thread_solutions.source, thread_solutions.thread_id,
--   thread_solutions.opened_at, thread_solutions.channel,
--   case when thread_solutions.is_solved then 1.0 else 0.0 end as contributes
--   from thread_solutions join solving_channels
--   on solving_channels.source = thread_solutions.source
--   and solving_channels.channel = coalesce(thread_solutions.channel, '')
--   join period_days on period_days.day = thread_solutions.opened_day

select
    period_days.period_start,
    'all' as segment,
    cast(sum(daily_solutions.solved) as double) / sum(daily_solutions.threads) as value,
    sum(daily_solutions.threads) as n
from daily_solutions
join solving_channels
    on solving_channels.source = daily_solutions.source
    and solving_channels.channel = coalesce(daily_solutions.channel, '')
join period_days
    on period_days.day = daily_solutions.opened_day
group by period_days.period_start
