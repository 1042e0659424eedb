-- One row per thread, local day and pair of members of whom one replied to the other on it; a
-- message without a parent replies to its thread's opener, who is no member below an announcement
-- (kept by thread).
with
replied as (
    select
        counted_messages.root_number,
        counted_messages.source,
        counted_messages.author_id,
        counted_messages.person_id,
        counted_messages.person,
        counted_messages.day,
        coalesce(counted_messages.parent_id, thread_openings.message_id) as parent_id
    from counted_messages
    left join thread_openings
        on thread_openings.thread_number = counted_messages.root_number
    where not counted_messages.is_staff
        and counted_messages.author_id is not null
        and counted_messages.day is not null
),
-- Whose accounts are two may still be one person.
answered as (
    select
        replied.root_number,
        replied.day,
        replied.person,
        parents.person as other
    from replied
    join counted_messages as parents
        on parents.source = replied.source
        and parents.message_id = replied.parent_id
        and parents.author_id <> replied.author_id
    where not parents.is_staff
)
select distinct
    told_roots.source,
    told_roots.thread_id,
    answered.day,
    least(answered.person, answered.other) as one,
    greatest(answered.person, answered.other) as other
from answered
join told_roots
    on told_roots.root_number = answered.root_number
where answered.person <> answered.other
