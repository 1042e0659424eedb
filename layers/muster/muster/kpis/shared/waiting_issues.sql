-- One row per inbound issue that is neither answered by staff nor resolved (kept by thread).
select
    source,
    thread_id,
    message_id,
    opened_at,
    title,
    thread_url as url,
    thread_channel as channel
from conversations
where issue_kind = 'inbound' and first_response_at is null and resolved_at is null
