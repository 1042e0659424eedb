-- One row per thread: the message that opens it (a view).
-- The root is preferred to the earliest, since clocks of federated authors run apart.
select * from written_messages where message_id = thread_id
union all
select written_messages.*
from written_messages
join headless_openings
    on headless_openings.source = written_messages.source
    and headless_openings.message_id = written_messages.message_id
