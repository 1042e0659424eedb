-- One row per thread that a member opened (its opening message not deleted): the human messages
-- after the first, and the role of who answered first: another person, strictly after (kept by
-- thread).
with
openings as (
    select * from thread_openings where role = 'member' and not is_deleted
),
-- Where the story is one episode, all that follows comes after the opening, and was told of there.
calm as (
    select
        openings.thread_number,
        calm_roots.messages - 1 as replies,
        calm_roots.first_peer_answer_at as member_at,
        calm_roots.first_response_at as staff_at
    from openings
    join calm_roots
        on calm_roots.root_number = openings.thread_number
    where coalesce(calm_roots.first_peer_answer_at <> calm_roots.first_response_at, true)
),
livelier as (
    select openings.thread_number, openings.created_at
    from openings
    left join calm
        on calm.thread_number = openings.thread_number
    where calm.thread_number is null
),
followed as (
    select
        livelier.thread_number,
        counted_messages.message_id,
        counted_messages.created_at,
        counted_messages.is_staff,
        not counted_messages.is_by_opener and counted_messages.created_at > livelier.created_at
            as is_answer
    from counted_messages
    join livelier
        on livelier.thread_number = counted_messages.root_number
    where not counted_messages.is_root
),
counted as (
    select
        thread_number,
        count(*) as replies,
        min(case when is_answer and not is_staff then created_at end) as member_at,
        min(case when is_answer and is_staff then created_at end) as staff_at
    from followed
    group by thread_number
    union all
    select thread_number, replies, member_at, staff_at from calm
),
tied as (  -- answered in the same instant by both
    select
        followed.thread_number,
        min(case when not followed.is_staff then followed.message_id end) as member_id,
        min(case when followed.is_staff then followed.message_id end) as staff_id
    from counted
    join followed
        on followed.thread_number = counted.thread_number
        and followed.created_at = counted.member_at
    where counted.member_at = counted.staff_at and followed.is_answer
    group by followed.thread_number
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
    on counted.thread_number = openings.thread_number
left join tied
    on tied.thread_number = openings.thread_number
