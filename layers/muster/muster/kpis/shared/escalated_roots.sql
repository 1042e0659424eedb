-- One row per root of a thread that bears a tag of escalation (a view). Of a thread that staff opened
-- a tag does not say which of the conversations below it is meant.
select distinct thread_openings.thread_number as root_number
from threads
join escalation_tags
    on list_contains(threads.tags, escalation_tags.tag)
    and (escalation_tags.source is null or escalation_tags.source = threads.source)
join thread_openings
    on thread_openings.source = threads.source and thread_openings.thread_id = threads.thread_id
