-- One row per message written before the run's as_of, deleted ones included (a view).
-- A line of a chat is in the thread that it joined; where no language is told, it is the source's.
select
    messages.source,
    messages.message_id,
    coalesce(joined_lines.thread_id, messages.thread_id) as thread_id,
    coalesce(joined_lines.parent_id, messages.parent_id) as parent_id,
    messages.author_id,
    messages.author_role,
    messages.created_at,
    messages.deleted_at,
    messages.kind,
    messages.direction,
    messages.channel,
    messages.tags,
    messages.url,
    case
        when messages.lang is not null
            and messages.lang not in ('und', 'zxx', 'mis', 'mul')
            and messages.lang not like 'q__' then lower(split_part(messages.lang, '-', 1))
        else lower(split_part(coalesce(source_settings.lang, $language), '-', 1))
    end as lang,
    messages.text,
    messages.is_solution,
    messages.sentiment
from messages
left join joined_lines
    on joined_lines.source = messages.source and joined_lines.message_id = messages.message_id
left join source_settings
    on source_settings.source = messages.source
where messages.created_at < $as_of
