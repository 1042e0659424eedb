-- One row per root of a conversation, and whether its story is one episode, told without windows:
-- its message opens it, is asked by a member before all others, and nothing else could have: no
-- silence as long as the quiet hours or the gap follows on an answer or is ended by a question once
-- staff has answered, and no resolution lies before the last question. Most are; the others are told
-- in lively_episodes.
with
told as (
    select
        root_number,
        max(case when is_root and not is_staff and not is_closing then created_at end)
            as opened_at,
        min(case when not is_root then created_at end) as second_at,
        max(created_at) as last_at,
        max(case when not is_staff and not is_closing then created_at end) as last_ask_at,
        min(case when is_staff then created_at end) as first_staff_at,
        max(case when is_staff then created_at end) as last_staff_at,
        min(case when is_escalating then created_at end) as escalated_at,
        min(case when is_staff and not is_by_opener then created_at end) as first_response_at,
        min(case when not is_staff and not is_by_opener then created_at end)
            as first_peer_answer_at,
        count(*) as messages,
        count(case when is_staff then 1 end) as staff_messages,
        count(is_by_opener) as messages_by_known,
        count(case when is_direct then 1 end) as direct_messages
    from counted_messages
    group by root_number
),
ends as (
    select root_number, min(happened_at) as first_at from resolutions group by root_number
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
    join told_roots
        on told_roots.root_number = told.root_number
    left join source_settings
        on source_settings.source = told_roots.source
    left join ends
        on ends.root_number = told.root_number
),
judged as (
    select
        *,
        opened_at is not null
            and coalesce(second_at > opened_at, true)
            and messages_by_known = messages
            and coalesce(last_staff_at <> last_ask_at, true)
            and coalesce(ended_at >= last_ask_at, true) as is_asked_once,
        coalesce(date_diff('millisecond', opened_at, last_at) / 1000.0 < most_seconds, false)
            as is_brief
    from timed
),
-- Thanks break no silence, since they do not keep staff's answer from being the last word. Until
-- staff's first word none ends a story, nor does one by which a member waited for staff; of what was
-- written at one instant a question counts as the first.
spoken as (
    select
        counted_messages.root_number,
        counted_messages.created_at > judged.first_staff_at as is_after_staff,
        counted_messages.is_staff,
        lag(counted_messages.is_staff) over (
            partition by counted_messages.root_number
            order by counted_messages.created_at, counted_messages.is_staff
        ) as is_on_staff,
        date_diff(
            'millisecond',
            lag(counted_messages.created_at) over (
                partition by counted_messages.root_number
                order by counted_messages.created_at, counted_messages.is_staff
            ),
            counted_messages.created_at
        ) / 1000.0 as silence
    from counted_messages
    join judged
        on judged.root_number = counted_messages.root_number
    where judged.is_asked_once and not judged.is_brief and not counted_messages.is_closing
),
silences as (
    select
        root_number,
        coalesce(max(
            case when is_after_staff and (is_on_staff or not is_staff) then silence end
        ), 0) as longest
    from spoken
    group by root_number
)
select
    judged.root_number,
    judged.opened_at,
    judged.last_ask_at,
    judged.last_staff_at,
    -- A tag of the whole thread counts at staff's last message, if none sends the member elsewhere.
    coalesce(
        judged.escalated_at,
        case when escalated_roots.root_number is not null then judged.last_staff_at end
    ) as escalated_at,
    case
        when judged.escalated_at is null and escalated_roots.root_number is not null
            then judged.last_staff_at
    end as sent_away_at,
    judged.first_response_at,
    judged.first_peer_answer_at,
    judged.messages,
    judged.staff_messages,
    judged.quiet_seconds,
    judged.is_asked_once
        and (judged.is_brief or coalesce(silences.longest < judged.most_seconds, false)) as is_calm
from judged
left join silences
    on silences.root_number = judged.root_number
left join escalated_roots
    on escalated_roots.root_number = judged.root_number
