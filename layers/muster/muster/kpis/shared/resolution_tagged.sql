-- One row per message that bears a tag of resolution.
select distinct messages.source, messages.message_id
from messages
join resolution_tags
    on list_contains(messages.tags, resolution_tags.tag)
    and (resolution_tags.source is null or resolution_tags.source = messages.source)
