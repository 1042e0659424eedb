-- One row per root whose story is one episode, told without windows: its message opens it, is asked
-- by a member before all others, and the rest follows within the quiet hours and the gap, with no
-- resolution before the last question. Most are; the others are told in lively_episodes.
with
told as (
    select
        source,
        root_id,
        max(case when message_id = root_id and not is_staff and not is_closing then created_at end)
            as opened_at,
        min(case when message_id <> root_id then created_at end) as second_at,
        max(created_at) as last_at,
        max(case when not is_staff and not is_closing then created_at end) as last_ask_at,
        max(case when is_staff then created_at end) as last_staff_at,
        min(case when is_escalating then created_at end) as escalated_at,
        min(case when is_staff and not is_by_opener then created_at end) as first_response_at,
        min(case when not is_staff and not is_by_opener then created_at end)
            as first_peer_answer_at,
        count(*) as messages,
        count(case when is_staff then 1 end) as staff_messages,
        count(is_by_opener) as messages_by_known,
        count(case when kind = 'direct' then 1 end) as direct_messages
    from human_messages
    group by source, root_id
),
ends as (
    select source, root_id, min(happened_at) as first_at from resolutions group by source, root_id
),
timed as (
    select
        told.*,
        coalesce(source_settings.quiet, $quiet) as quiet_seconds,
        least(
            coalesce(source_settings.quiet, $quiet),
            coalesce(source_settings.episode_gap, $quiet),
            case when told.direct_messages > 0 then $episode_gap else $quiet end
        ) as most_seconds,
        ends.first_at as ended_at
    from told
    left join source_settings
        on source_settings.source = told.source
    left join ends
        on ends.source = told.source and ends.root_id = told.root_id
)
select *
from timed
where opened_at is not null
    and coalesce(second_at > opened_at, true)
    and messages_by_known = messages
    and date_diff('millisecond', opened_at, last_at) / 1000.0 < most_seconds
    and coalesce(last_staff_at <> last_ask_at, true)
    and coalesce(ended_at >= last_ask_at, true)
