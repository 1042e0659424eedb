-- One row per local day and account that wrote on it as a member: the first time it did (kept by
-- day).
select day, source, author_id, min(created_at) as first_at
from counted_messages
where not is_staff and author_id is not null
group by day, source, author_id
