-- One row per thread and local day: members' messages in the channels, or with the tags, that the
-- settings name as feedback (kept by thread).
with
named_threads as (
    select distinct threads.source, threads.thread_id
    from threads
    join feedback_names
        on feedback_names.name = threads.channel
        or list_contains(threads.tags, feedback_names.name)
),
named_roots as (
    select distinct told_roots.root_number
    from told_roots
    join named_threads
        on named_threads.source = told_roots.source
        and named_threads.thread_id = told_roots.thread_id
),
named_messages as (
    select messages.source, messages.message_id
    from messages
    join feedback_names
        on feedback_names.name = messages.channel
        or list_contains(messages.tags, feedback_names.name)
),
given as (
    select counted_messages.root_number, counted_messages.message_id, counted_messages.day
    from counted_messages
    join named_messages
        on named_messages.source = counted_messages.source
        and named_messages.message_id = counted_messages.message_id
    where not counted_messages.is_staff
    union
    select counted_messages.root_number, counted_messages.message_id, counted_messages.day
    from counted_messages
    join named_roots
        on named_roots.root_number = counted_messages.root_number
    where not counted_messages.is_staff
)
select told_roots.source, told_roots.thread_id, given.day, count(*) as messages
from given
join told_roots
    on told_roots.root_number = given.root_number
where given.day is not null
group by told_roots.source, told_roots.thread_id, given.day
