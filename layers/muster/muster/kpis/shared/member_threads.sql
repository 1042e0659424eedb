-- One row per thread that a member opened (its opening message not deleted): the human messages
-- after the first, and the role of who answered first: another person, strictly after (kept by
-- thread).
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
counted as (
    select
        source,
        thread_id,
        count(*) as replies,
        min(case when is_answer and not is_staff then created_at end) as member_at,
        min(case when is_answer and is_staff then created_at end) as staff_at
    from followed
    group by source, thread_id
),
tied as (  -- answered in the same instant by both
    select
        followed.source,
        followed.thread_id,
        min(case when not followed.is_staff then followed.message_id end) as member_id,
        min(case when followed.is_staff then followed.message_id end) as staff_id
    from counted
    join followed
        on followed.source = counted.source
        and followed.thread_id = counted.thread_id
        and followed.created_at = counted.member_at
    where counted.member_at = counted.staff_at and followed.is_answer
    group by followed.source, followed.thread_id
)
select
    openings.source,
    openings.thread_id,
    openings.created_at as opened_at,
    openings.day as opened_day,
    coalesce(counted.replies, 0) as replies,
    case
        when counted.member_at < counted.staff_at or tied.member_id < tied.staff_id then 'member'
        when counted.staff_at is not null then 'staff'
        when counted.member_at is not null then 'member'
    end as answered_by
from openings
left join counted
    on counted.source = openings.source and counted.thread_id = openings.thread_id
left join tied
    on tied.source = openings.source and tied.thread_id = openings.thread_id
