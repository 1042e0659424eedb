-- One row per thread, local day and pair of members of whom one replied to the other on it; a
-- message without a parent replies to its thread's opener (kept by thread).
with
spoken as (
    select * from human_messages where role = 'member' and author_id is not null
),
replied as (
    select
        spoken.source,
        spoken.thread_id,
        spoken.person,
        spoken.day,
        coalesce(spoken.parent_id, thread_openings.message_id) as parent_id
    from spoken
    left join thread_openings
        on thread_openings.source = spoken.source
        and thread_openings.thread_id = spoken.thread_id
)
select distinct
    replied.source,
    replied.thread_id,
    replied.day,
    least(replied.person, parents.person) as one,
    greatest(replied.person, parents.person) as other
from replied
join spoken as parents
    on parents.source = replied.source
    and parents.message_id = replied.parent_id
    and parents.person <> replied.person
where replied.day is not null
