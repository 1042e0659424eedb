-- One row per thread that a member opened (its opening message not deleted): its channel, the local
-- day it was opened on, and whether a solution was accepted in it (kept by thread).
with
solved as (
    select source, thread_id, min(created_at) as created_at
    from solutions
    group by source, thread_id
)
select
    openings.source,
    openings.thread_id,
    openings.created_at as opened_at,
    openings.day as opened_day,
    coalesce(threads.channel, openings.channel) as channel,
    coalesce(coalesce(threads.solved_at, solved.created_at) < $as_of, false) as is_solved
from thread_openings as openings
left join threads
    on threads.source = openings.source and threads.thread_id = openings.thread_id
left join solved
    on solved.source = openings.source and solved.thread_id = openings.thread_id
where openings.role = 'member' and not openings.is_deleted
