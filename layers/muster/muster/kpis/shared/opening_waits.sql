-- One row per local day on which issues were opened, and calendar: how long the slowest event took,
-- and when the newest issue without one was opened. Whether an old period can move by time alone is
-- seen from it (kept by opened_day).
select
    opened_day,
    calendar,
    max(date_diff('millisecond', opened_at, first_response_at) / 1000.0) as longest_answer,
    max(first_response_clock - opened_clock) as longest_business,
    max(date_diff('millisecond', opened_at, resolved_at) / 1000.0) as longest_resolution,
    max(case when first_response_at is null and resolved_at is null then opened_at end)
        as last_waiting_at,
    max(case when first_response_at is null and resolved_at is null then opened_clock end)
        as last_waiting_clock,
    max(case when resolved_at is null and escalated_at is null then opened_at end) as last_open_at
from conversations
where issue_kind is not null
group by opened_day, calendar
