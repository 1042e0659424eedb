-- One row per root of a conversation, by its number: the message and its thread (a view).
select thread_number as root_number, source, thread_id, message_id as root_id from thread_openings
union all
select distinct root_number, source, thread_id, root_id from roots where root_number < 0
