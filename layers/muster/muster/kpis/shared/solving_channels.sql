-- One row per source and channel in which solutions are accepted: those of the settings, else those
-- that ever had one. A thread without a channel is in the channel ''.
select distinct daily_solutions.source, coalesce(daily_solutions.channel, '') as channel
from daily_solutions
left join solution_channels
    on solution_channels.channel = daily_solutions.channel
where solution_channels.channel is not null
    or (daily_solutions.solved > 0 and not exists (select 1 from solution_channels))
