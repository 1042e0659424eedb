-- One row per source, channel and local day: the threads members opened, and those solved by now.
select source, channel, opened_day, count(*) as threads, count(case when is_solved then 1 end) as solved
from thread_solutions
group by source, channel, opened_day
