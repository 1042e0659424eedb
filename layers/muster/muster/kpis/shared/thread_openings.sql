-- One row per thread: its opening message, deleted or not, and a number for the thread; which it is
-- does not matter. To join and to group by one number costs a third of what two texts do.
select
    row_number() over () as thread_number,
    opening_roles.source,
    opening_roles.thread_id,
    opening_roles.message_id,
    opening_roles.author_id,
    opening_roles.person,
    opening_roles.role,
    opening_roles.created_at,
    opening_roles.day,
    opening_roles.is_deleted,
    opening_roles.kind,
    opening_roles.direction,
    opening_roles.channel,
    opening_roles.lang,
    opening_roles.url,
    threads.thread_id is not null as is_topic
from opening_roles
left join threads
    on threads.source = opening_roles.source and threads.thread_id = opening_roles.thread_id
