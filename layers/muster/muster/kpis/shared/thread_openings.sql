-- One row per thread: its opening message, deleted or not.
select
    source, thread_id, message_id, author_id, person, role, created_at, day, is_deleted, kind,
    direction, channel, lang, url
from opening_roles
