-- One row per human message, with the episode it belongs to (a view).
select
    source, thread_id, root_id, message_id, person, author_id, role, created_at, day, is_staff,
    is_asking, is_escalating, is_opening, is_reopening, episode, false as is_calm
from lively_episodes
union all
select
    human_messages.source, human_messages.thread_id, human_messages.root_id,
    human_messages.message_id, human_messages.person, human_messages.author_id,
    human_messages.role, human_messages.created_at, human_messages.day, human_messages.is_staff,
    human_messages.role = 'member' and not human_messages.is_closing,
    human_messages.is_escalating,
    human_messages.message_id = human_messages.root_id,
    false,
    1,
    true
from human_messages
join calm_roots
    on calm_roots.source = human_messages.source and calm_roots.root_id = human_messages.root_id
