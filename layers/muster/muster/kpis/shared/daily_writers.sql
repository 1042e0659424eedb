-- One row per local day and member who wrote on it.
select distinct day, person
from human_messages
where role = 'member' and author_id is not null and day is not null
