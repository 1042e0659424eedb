-- One row per message that bears a tag of escalation.
select distinct messages.source, messages.message_id
from messages
join escalation_tags
    on list_contains(messages.tags, escalation_tags.tag)
    and (escalation_tags.source is null or escalation_tags.source = messages.source)
