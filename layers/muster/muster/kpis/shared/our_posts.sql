-- One row per post or quote of staff that counts, with what its readers did, as it is now
-- (kept by day).
select
    human_messages.source,
    human_messages.message_id,
    human_messages.created_at,
    human_messages.day,
    messages.likes,
    messages.reposts,
    messages.replies,
    messages.views
from human_messages
join messages
    on messages.source = human_messages.source
    and messages.message_id = human_messages.message_id
where human_messages.role = 'staff' and human_messages.kind in ('post', 'quote')
