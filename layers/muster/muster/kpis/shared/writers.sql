-- One row per period and member who wrote in it.
select distinct periods.period_start, human_messages.person
from human_messages
join periods
    on human_messages.created_at >= periods.start_at
    and human_messages.created_at < periods.end_at
where human_messages.role = 'member' and human_messages.author_id is not null
