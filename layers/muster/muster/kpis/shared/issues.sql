-- One row per issue: a conversation a member opened towards us, or one staff reached out to.
-- Its two clocks run until the event, or until the instant at which we stop knowing (censored).
with
opened as (
    select
        conversations.*,
        coalesce(first_response_at, resolved_at, $as_of) as wait_ended_at,
        coalesce(resolved_at, escalated_at, $as_of) as resolution_ended_at,
        coalesce(source_settings.answer_window, $answer_window) as answer_window,
        coalesce(source_settings.resolution_window, $resolution_window) as resolution_window,
        coalesce(source_settings.reopen_window, $reopen_window) as reopen_window,
        coalesce(source_settings.calendar, 0) as calendar
    from conversations
    left join source_settings
        on source_settings.source = conversations.source
    where issue_kind is not null
)
select
    opened.*,
    -- An ambient conversation becomes an issue when staff answers it.
    case when issue_kind = 'inbound' then opened_at else first_response_at end as issue_at,
    first_response_at is not null as is_answered,
    date_diff('millisecond', opened_at, wait_ended_at) / 1000.0 as wait_seconds,
    date_diff('millisecond', opened_at, resolution_ended_at) / 1000.0 as resolution_seconds,
    date_diff('millisecond', opened_at, $as_of) / 1000.0 as age_seconds,
    -- No calendar, no business figure: without a piece of the calendar these are null.
    starts.is_working as is_in_hours,
    ends.seconds_before
        + case when ends.is_working
            then date_diff('millisecond', ends.start_at, wait_ended_at) / 1000.0 else 0 end
        - starts.seconds_before
        - case when starts.is_working
            then date_diff('millisecond', starts.start_at, opened_at) / 1000.0 else 0 end
        as wait_business_seconds,
    opening_days.day as opened_day,
    resolution_days.day as resolved_day
from opened
left join work_pieces as starts
    on starts.calendar = opened.calendar
    and starts.day = cast(opened.opened_at as date)
    and opened.opened_at >= starts.start_at
    and opened.opened_at < starts.end_at
left join work_pieces as ends
    on ends.calendar = opened.calendar
    and ends.day = cast(opened.wait_ended_at as date)
    and opened.wait_ended_at >= ends.start_at
    and opened.wait_ended_at < ends.end_at
left join day_spans as opening_days
    on opening_days.utc_day = cast(opened.opened_at as date)
    and opened.opened_at >= opening_days.start_at
    and opened.opened_at < opening_days.end_at
left join day_spans as resolution_days
    on resolution_days.utc_day = cast(opened.resolved_at as date)
    and opened.resolved_at >= resolution_days.start_at
    and opened.resolved_at < resolution_days.end_at
