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
named_messages as (
    select messages.source, messages.message_id
    from messages
    join feedback_names
        on feedback_names.name = messages.channel
        or list_contains(messages.tags, feedback_names.name)
),
given as (
    select human_messages.source, human_messages.thread_id,
        human_messages.message_id, human_messages.day
    from human_messages
    join named_messages
        on named_messages.source = human_messages.source
        and named_messages.message_id = human_messages.message_id
    where human_messages.role = 'member'
    union
    select human_messages.source, human_messages.thread_id,
        human_messages.message_id, human_messages.day
    from human_messages
    join named_threads
        on named_threads.source = human_messages.source
        and named_threads.thread_id = human_messages.thread_id
    where human_messages.role = 'member'
)
select source, thread_id, day, count(*) as messages
from given
where day is not null
group by source, thread_id, day
