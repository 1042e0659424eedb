-- One row per message that counts, with the episode it belongs to, its thread and root (a view).
select
    episode_messages.*,
    case when episode_messages.is_staff then 'staff' else 'member' end as role,
    told_roots.thread_id,
    told_roots.root_id
from episode_messages
join told_roots
    on told_roots.root_number = episode_messages.root_number
