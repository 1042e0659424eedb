-- One row per UTC day and account that wrote on it as a bot or as staff, by the platform's word
-- (kept by utc_day).
select distinct source, author_id, cast(created_at as date) as utc_day
from messages
where author_role in ('bot', 'staff') and author_id is not null and created_at < $as_of
