-- One row per message of a thread that staff opened: the message its conversation hangs from. There
-- each member's reply to the announcement roots a conversation of its own with all below it; every
-- other thread is one conversation. A direct message of ours is no announcement. The announcement
-- has its thread's number, the others have negative ones.
with recursive
announcements as (
    select source, thread_id, message_id, thread_number
    from thread_openings
    where role = 'staff' and kind <> 'direct'
),
announced as (
    select source, thread_id, message_id, parent_id, role from announced_roles
),
below as (
    select
        roles.source,
        roles.thread_id,
        roles.message_id,
        roles.role,
        parents.message_id as parent_id,
        announcements.message_id as opening_id,
        announcements.thread_number
    from announced as roles
    join announcements
        on announcements.source = roles.source and announcements.thread_id = roles.thread_id
    left join announced as parents
        on parents.source = roles.source
        and parents.thread_id = roles.thread_id
        and parents.message_id = roles.parent_id
),
tree as (
    select
        source,
        thread_id,
        message_id,
        opening_id,
        thread_number,
        case when role = 'member' then message_id else opening_id end as root_id
    from below
    where message_id = opening_id or parent_id is null
    union all
    select
        below.source,
        below.thread_id,
        below.message_id,
        below.opening_id,
        below.thread_number,
        case
            when below.role = 'member' and tree.root_id = tree.opening_id then below.message_id
            else tree.root_id
        end as root_id
    from below
    join tree
        on tree.source = below.source
        and tree.thread_id = below.thread_id
        and tree.message_id = below.parent_id
    where below.message_id <> below.opening_id
)
select
    source,
    thread_id,
    message_id,
    root_id,
    case
        when root_id = opening_id then thread_number
        else -dense_rank() over (order by source, root_id)
    end as root_number
from tree
