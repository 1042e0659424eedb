-- One row per message accepted as a solution, not deleted, with the root of its conversation.
select
    roles.source,
    roles.thread_id,
    roles.message_id,
    roles.created_at,
    roles.person,
    roles.role,
    coalesce(roots.root_id, thread_openings.message_id) as root_id
from roles
join thread_openings
    on thread_openings.source = roles.source and thread_openings.thread_id = roles.thread_id
left join roots
    on roots.source = roles.source and roots.message_id = roles.message_id
where roles.is_solution and not roles.is_deleted
