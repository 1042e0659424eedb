-- One row per thread that a member opened (its opening message not deleted): the human messages
-- after the first, and the role of who answered first: another person, strictly after.
with
openings as (
    select * from thread_openings where role = 'member' and not is_deleted
),
followed as (
    select
        human_messages.*,
        human_messages.person <> openings.person
            and human_messages.created_at > openings.created_at as is_answer
    from human_messages
    join openings
        on openings.source = human_messages.source
        and openings.thread_id = human_messages.thread_id
        and openings.message_id <> human_messages.message_id
),
ranked as (
    select
        source,
        thread_id,
        role,
        is_answer,
        row_number() over (
            partition by source, thread_id, is_answer order by created_at, message_id
        ) as place
    from followed
),
counted as (
    select
        source,
        thread_id,
        count(*) as replies,
        max(case when is_answer and place = 1 then role end) as answered_by
    from ranked
    group by source, thread_id
)
select
    openings.source,
    openings.thread_id,
    openings.created_at as opened_at,
    coalesce(counted.replies, 0) as replies,
    counted.answered_by
from openings
left join counted
    on counted.source = openings.source and counted.thread_id = openings.thread_id
