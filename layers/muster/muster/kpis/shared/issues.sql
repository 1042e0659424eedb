-- One row per issue: a conversation a member opened towards us, or one staff reached out to (a view).
-- Its two clocks run until the event, or until the instant at which we stop knowing (censored).
with
opened as (
    select
        conversations.*,
        coalesce(conversations.first_response_at, conversations.resolved_at, $as_of)
            as wait_ended_at,
        coalesce(conversations.resolved_at, conversations.escalated_at, $as_of)
            as resolution_ended_at,
        coalesce(
            conversations.first_response_clock,
            conversations.resolved_clock,
            today.seconds_before
                + case when today.is_working
                    then date_diff('millisecond', today.start_at, $as_of) / 1000.0 else 0 end
        ) as wait_ended_clock,
        coalesce(source_settings.answer_window, $answer_window) as answer_window,
        coalesce(source_settings.resolution_window, $resolution_window) as resolution_window,
        coalesce(source_settings.reopen_window, $reopen_window) as reopen_window
    from conversations
    left join source_settings
        on source_settings.source = conversations.source
    left join work_pieces as today
        on today.calendar = conversations.calendar
        and today.day = cast($as_of as date)
        and today.start_at <= $as_of
        and today.end_at > $as_of
    where conversations.issue_kind is not null
)
select
    opened.*,
    -- An ambient conversation becomes an issue when staff answers it.
    case when issue_kind = 'inbound' then opened_at else first_response_at end as issue_at,
    first_response_at is not null as is_answered,
    date_diff('millisecond', opened_at, wait_ended_at) / 1000.0 as wait_seconds,
    date_diff('millisecond', opened_at, resolution_ended_at) / 1000.0 as resolution_seconds,
    date_diff('millisecond', opened_at, $as_of) / 1000.0 as age_seconds,
    wait_ended_clock - opened_clock as wait_business_seconds
from opened
