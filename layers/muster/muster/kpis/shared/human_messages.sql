-- One row per message that counts, with its thread and the root of its conversation (a view). Who
-- needs neither reads counted_messages.
select counted_messages.*, told_roots.thread_id, told_roots.root_id
from counted_messages
join told_roots
    on told_roots.root_number = counted_messages.root_number
