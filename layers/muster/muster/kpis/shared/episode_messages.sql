-- One row per message that counts, with the episode it belongs to and the number of its root (a view).
select
    root_number, source, message_id, person, author_id, created_at, day, is_staff, is_asking,
    is_escalating, is_opening, is_reopening, episode, false as is_calm
from lively_episodes
union all
select
    counted_messages.root_number, counted_messages.source, counted_messages.message_id,
    counted_messages.person, counted_messages.author_id, counted_messages.created_at,
    counted_messages.day, counted_messages.is_staff,
    not counted_messages.is_staff and not counted_messages.is_closing,
    counted_messages.is_escalating, counted_messages.is_root, false, 1, true
from counted_messages
join calm_roots
    on calm_roots.root_number = counted_messages.root_number
