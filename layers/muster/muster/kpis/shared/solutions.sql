-- One row per message accepted as a solution, not deleted, with the root of its conversation.
select
    told_messages.source,
    told_roots.thread_id,
    told_messages.root_number,
    told_messages.message_id,
    told_messages.created_at,
    told_messages.person,
    told_messages.role
from told_messages
join told_roots
    on told_roots.root_number = told_messages.root_number
where told_messages.is_solution and not told_messages.is_deleted
