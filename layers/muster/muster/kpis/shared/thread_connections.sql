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
        counted_messages.day,
        coalesce(counted_messages.parent_id, thread_openings.message_id) as parent_id
    from counted_messages
    left join thread_openings
        on thread_openings.thread_number = counted_messages.root_number
    where not counted_messages.is_staff
        and counted_messages.author_id is not null
        and counted_messages.day is not null
),
-- Two accounts may be one person's. Names are put together for those who met only.
pairs as (
    select
        replied.root_number,
        replied.day,
        coalesce(
            'person ' || replied.person_id, 'account ' || replied.source || ' ' || replied.author_id
        ) as person,
        coalesce(
            'person ' || parents.person_id, 'account ' || parents.source || ' ' || parents.author_id
        ) as other
    from replied
    join counted_messages as parents
        on parents.source = replied.source
        and parents.message_id = replied.parent_id
        and parents.author_id <> replied.author_id
    where not parents.is_staff
        and not coalesce(parents.person_id = replied.person_id, false)
)
select distinct
    told_roots.source,
    told_roots.thread_id,
    pairs.day,
    least(pairs.person, pairs.other) as one,
    greatest(pairs.person, pairs.other) as other
from pairs
join told_roots
    on told_roots.root_number = pairs.root_number
