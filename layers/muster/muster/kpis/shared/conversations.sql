-- One row per conversation: an episode of a thread (or sub-thread) that a member opened, with the
-- local days of its events, and how many seconds the business clock of its source showed at each.
-- What rests on it alone changes only with its thread, whatever the run's as_of (kept by thread).
with
placed as (
    select
        untimed_conversations.*,
        coalesce(untimed_conversations.url, threads.url) as thread_url,
        coalesce(untimed_conversations.channel, threads.channel) as thread_channel,
        threads.title,
        coalesce(source_settings.calendar, 0) as calendar
    from untimed_conversations
    left join source_settings
        on source_settings.source = untimed_conversations.source
    left join threads
        on threads.source = untimed_conversations.source
        and threads.thread_id = untimed_conversations.thread_id
)
select
    placed.*,
    case
        when placed.issue_kind is not null
            then date_diff('millisecond', placed.opened_at, placed.first_response_at) / 1000.0
    end as first_response_seconds,
    case
        when placed.issue_kind is not null
            then date_diff('millisecond', placed.opened_at, placed.resolved_at) / 1000.0
    end as time_to_resolution_seconds,
    opening_days.day as opened_day,
    response_days.day as first_response_day,
    escalation_days.day as escalated_day,
    resolution_days.day as resolved_day,
    -- No calendar, no business figure: without a piece of the calendar these are null.
    openings.is_working as is_in_hours,
    openings.seconds_before
        + case when openings.is_working
            then date_diff('millisecond', openings.start_at, placed.opened_at) / 1000.0 else 0 end
        as opened_clock,
    responses.seconds_before
        + case when responses.is_working
            then date_diff('millisecond', responses.start_at, placed.first_response_at) / 1000.0
            else 0 end
        as first_response_clock,
    resolutions.seconds_before
        + case when resolutions.is_working
            then date_diff('millisecond', resolutions.start_at, placed.resolved_at) / 1000.0
            else 0 end
        as resolved_clock
from placed
left join work_pieces as openings
    on openings.calendar = placed.calendar
    and openings.day = cast(placed.opened_at as date)
    and placed.opened_at >= openings.start_at
    and placed.opened_at < openings.end_at
left join work_pieces as responses
    on responses.calendar = placed.calendar
    and responses.day = cast(placed.first_response_at as date)
    and placed.first_response_at >= responses.start_at
    and placed.first_response_at < responses.end_at
left join work_pieces as resolutions
    on resolutions.calendar = placed.calendar
    and resolutions.day = cast(placed.resolved_at as date)
    and placed.resolved_at >= resolutions.start_at
    and placed.resolved_at < resolutions.end_at
left join day_spans as opening_days
    on opening_days.utc_day = cast(placed.opened_at as date)
    and placed.opened_at >= opening_days.start_at
    and placed.opened_at < opening_days.end_at
left join day_spans as response_days
    on response_days.utc_day = cast(placed.first_response_at as date)
    and placed.first_response_at >= response_days.start_at
    and placed.first_response_at < response_days.end_at
left join day_spans as escalation_days
    on escalation_days.utc_day = cast(placed.escalated_at as date)
    and placed.escalated_at >= escalation_days.start_at
    and placed.escalated_at < escalation_days.end_at
left join day_spans as resolution_days
    on resolution_days.utc_day = cast(placed.resolved_at as date)
    and placed.resolved_at >= resolution_days.start_at
    and placed.resolved_at < resolution_days.end_at
