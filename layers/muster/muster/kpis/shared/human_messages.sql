-- One row per message that counts: written by a member or staff, not deleted.
with
human as (
    select
        roles.*,
        coalesce(roots.root_id, thread_openings.message_id) as root_id,
        -- Whether the person who opened the thread wrote it; not told below an announcement.
        case when roots.root_id is null then roles.person = thread_openings.person end
            as is_by_opener
    from roles
    join thread_openings
        on thread_openings.source = roles.source and thread_openings.thread_id = roles.thread_id
    left join roots
        on roots.source = roles.source and roots.message_id = roles.message_id
    where not roles.is_deleted and roles.role in ('member', 'staff')
)
select
    human.*,
    human.role = 'staff' as is_staff,
    human.role = 'staff'
        and (human.is_sending_away or escalation_tagged.message_id is not null) as is_escalating
from human
left join escalation_tagged
    on escalation_tagged.source = human.source
    and escalation_tagged.message_id = human.message_id
