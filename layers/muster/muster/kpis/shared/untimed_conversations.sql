-- One row per conversation: an episode of a thread (or sub-thread) that a member opened (a view).
-- Its days and clocks are added in conversations.
with
lively as (
    select
        *,
        lead(created_at) over (partition by source, root_id order by episode) as next_at,
        lead(is_reopening) over (partition by source, root_id order by episode) as is_reopened
    from lively_episodes
    where is_opening
),
openers as (
    select
        source, thread_id, root_id, episode, message_id, author_id, person, created_at,
        is_reopening, next_at, is_reopened
    from lively
    union all
    select
        source, thread_id, root_id, episode, message_id, author_id, person, created_at,
        is_reopening, null, null
    from episodes
    where is_calm and is_opening
),
-- Of each episode: its messages, and staff's or a member's word to the opener (another person,
-- strictly after).
told as (
    select
        lively.source,
        lively.root_id,
        lively.episode,
        count(*) as messages,
        count(case when said.is_staff then 1 end) as staff_messages,
        max(case when said.is_staff then said.created_at end) as last_staff_at,
        min(case when said.is_escalating then said.created_at end) as escalated_at,
        min(
            case
                when said.is_staff and said.person <> lively.person
                    and said.created_at > lively.created_at then said.created_at
            end
        ) as first_response_at,
        min(
            case
                when not said.is_staff and said.person <> lively.person
                    and said.created_at > lively.created_at then said.created_at
            end
        ) as first_peer_answer_at
    from lively
    join lively_episodes as said
        on said.source = lively.source
        and said.root_id = lively.root_id
        and said.episode = lively.episode
    group by lively.source, lively.root_id, lively.episode
    union all
    select
        source, root_id, 1, messages, staff_messages, last_staff_at, escalated_at,
        first_response_at, first_peer_answer_at
    from calm_roots
),
considered as (
    select
        *,
        lead(created_at) over (partition by source, root_id, episode order by place) as next_at,
        max(case when is_escalating then 1 else 0 end) over (
            partition by source, root_id, episode order by place
            rows between unbounded preceding and current row
        ) as escalated
    from lively_episodes
    where episode > 0 and (is_staff or is_asking)
),
endings as (
    select
        openers.source, openers.root_id, openers.episode, resolutions.happened_at,
        resolutions.way,
        case resolutions.way when 'solution' then 1 when 'closed' then 2 else 3 end as rank,
        resolutions.solver, resolutions.solver_role
    from openers
    join resolutions
        on resolutions.source = openers.source
        and resolutions.root_id = openers.root_id
        and resolutions.happened_at >= openers.created_at
        and (openers.next_at is null or resolutions.happened_at < openers.next_at)
    union all
    -- Staff's message is last and the quiet hours passed; an escalated issue never ends this way.
    select
        source, root_id, episode, created_at + interval 1 second * quiet_seconds,
        'assumed', 4, null, null
    from considered
    where is_staff
        and escalated = 0
        and created_at + interval 1 second * quiet_seconds < $as_of
        and (next_at is null or next_at > created_at + interval 1 second * quiet_seconds)
    union all
    select
        source, root_id, 1, last_staff_at + interval 1 second * quiet_seconds,
        'assumed', 4, null, null
    from calm_roots
    where last_staff_at + interval 1 second * quiet_seconds < $as_of
        and last_staff_at > last_ask_at
        and escalated_at is null
),
resolved as (
    select
        *,
        row_number() over (
            partition by source, root_id, episode order by happened_at, rank, solver
        ) as place
    from endings
),
-- Where staff wrote on after the resolution, the messages up to it.
counts as (
    select
        episodes.source,
        episodes.root_id,
        episodes.episode,
        count(case when episodes.created_at <= resolved.happened_at then 1 end) as staff_messages
    from resolved
    join told
        on told.source = resolved.source
        and told.root_id = resolved.root_id
        and told.episode = resolved.episode
        and told.last_staff_at > resolved.happened_at
    join episodes
        on episodes.source = resolved.source
        and episodes.root_id = resolved.root_id
        and episodes.episode = resolved.episode
    where resolved.place = 1 and episodes.is_staff
    group by episodes.source, episodes.root_id, episodes.episode
)
select
    openers.source,
    openers.thread_id,
    openers.root_id,
    openers.episode,
    openers.message_id,
    openers.author_id,
    openers.created_at as opened_at,
    written_messages.direction,
    written_messages.kind as message_kind,
    written_messages.channel,
    written_messages.lang,
    written_messages.url,
    case
        when written_messages.direction = 'inbound' then 'inbound'
        when written_messages.direction = 'ambient' and told.first_response_at is not null then 'outreach'
    end as issue_kind,
    told.first_response_at,
    told.first_peer_answer_at,
    told.escalated_at,
    resolved.happened_at as resolved_at,
    resolved.way as resolved_by,
    resolved.solver_role,
    resolved.solver is not null and resolved.solver <> openers.person as is_solved_by_another,
    openers.is_reopening,
    case when openers.is_reopened then openers.next_at end as reopened_at,
    told.messages,
    told.staff_messages,
    case
        when resolved.happened_at is null then 0
        else coalesce(counts.staff_messages, told.staff_messages)
    end as staff_messages_to_resolution
from openers
join written_messages
    on written_messages.source = openers.source
    and written_messages.message_id = openers.message_id
join told
    on told.source = openers.source
    and told.root_id = openers.root_id
    and told.episode = openers.episode
left join counts
    on counts.source = openers.source
    and counts.root_id = openers.root_id
    and counts.episode = openers.episode
left join resolved
    on resolved.source = openers.source
    and resolved.root_id = openers.root_id
    and resolved.episode = openers.episode
    and resolved.place = 1
