-- One row per inbound issue that at as_of is neither answered by staff nor resolved.
select
    source,
    thread_id,
    message_id,
    opened_at,
    date_diff('millisecond', opened_at, $as_of) / 1000.0 as waited_seconds,
    title,
    thread_url as url,
    thread_channel as channel
from conversations
where issue_kind = 'inbound' and first_response_at is null and resolved_at is null
