-- One row per local day on which issues were opened, and calendar: when the newest issue that still
-- waits was opened. Whether an old period can move by time alone is seen from it (kept by
-- opened_day).
select
    opened_day,
    calendar,
    max(case when first_response_at is null and resolved_at is null then opened_at end)
        as last_waiting_at,
    max(case when first_response_at is null and resolved_at is null then opened_clock end)
        as last_waiting_clock,
    max(case when resolved_at is null and escalated_at is null then opened_at end) as last_open_at
from conversations
where issue_kind is not null
group by opened_day, calendar
