-- One row per message of whom the platform names as the one who solved its thread (a view).
select written_messages.*
from written_messages
join threads
    on threads.source = written_messages.source
    and threads.thread_id = written_messages.thread_id
    and threads.solved_by = written_messages.author_id
where threads.solved_at is not null
