-- One row per message of a member that was deleted.
select source, message_id from roles where is_deleted and role = 'member'
