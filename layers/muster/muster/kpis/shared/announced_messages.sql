-- One row per message of a thread that staff opened, other than by a direct message (a view).
select written_messages.*
from written_messages
join thread_openings
    on thread_openings.source = written_messages.source
    and thread_openings.thread_id = written_messages.thread_id
where thread_openings.role = 'staff' and thread_openings.kind <> 'direct'
