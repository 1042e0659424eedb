-- One row per inbound issue that at as_of is neither answered by staff nor resolved (a view).
select
    source,
    thread_id,
    message_id,
    opened_at,
    date_diff('millisecond', opened_at, $as_of) / 1000.0 as waited_seconds,
    title,
    url,
    channel
from waiting_issues
