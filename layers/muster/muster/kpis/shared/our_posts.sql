-- One row per post or quote of staff that counts, with what its readers did, as it is now
-- (kept by day).
select
    counted_messages.source,
    counted_messages.message_id,
    counted_messages.created_at,
    counted_messages.day,
    messages.likes,
    messages.reposts,
    messages.replies,
    messages.views
from counted_messages
join messages
    on messages.source = counted_messages.source
    and messages.message_id = counted_messages.message_id
where counted_messages.is_staff and counted_messages.is_post
