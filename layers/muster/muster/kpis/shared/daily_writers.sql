-- One row per local day and member who wrote on it.
select distinct every_period.period_start as day, human_messages.person
from human_messages
join every_period
    on every_period.grain = 'day'
    and human_messages.created_at >= every_period.start_at
    and human_messages.created_at < every_period.end_at
where human_messages.role = 'member' and human_messages.author_id is not null
