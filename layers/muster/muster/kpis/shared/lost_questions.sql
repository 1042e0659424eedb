-- One row per message of a member that was deleted.
select source, message_id from told_messages where is_deleted and role = 'member'
