-- One row per message that counts: written by a member or staff, not deleted (a view).
select * from told_messages where not is_deleted and not is_bot
