-- One row per conversation: an episode of a thread (or sub-thread) that a member opened.
with
openers as (
    select
        *,
        lead(created_at) over (partition by source, root_id order by episode) as next_at,
        lead(is_reopening) over (partition by source, root_id order by episode) as is_reopened
    from episodes
    where is_opening
),
-- Staff's or a member's word to the opener: another person, strictly after.
answers as (
    select
        openers.source,
        openers.root_id,
        openers.episode,
        min(case when said.is_staff then said.created_at end) as first_response_at,
        min(case when not said.is_staff then said.created_at end) as first_peer_answer_at
    from openers
    join episodes as said
        on said.source = openers.source
        and said.root_id = openers.root_id
        and said.episode = openers.episode
        and said.created_at > openers.created_at
        and said.person <> openers.person
    group by openers.source, openers.root_id, openers.episode
),
considered as (
    select
        *,
        lead(created_at) over (partition by source, root_id, episode order by place) as next_at,
        max(case when is_escalating then 1 else 0 end) over (
            partition by source, root_id, episode order by place
            rows between unbounded preceding and current row
        ) as escalated
    from episodes
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
),
resolved as (
    select
        *,
        row_number() over (
            partition by source, root_id, episode order by happened_at, rank, solver
        ) as place
    from endings
),
counts as (
    select
        episodes.source,
        episodes.root_id,
        episodes.episode,
        count(*) as messages,
        count(case when episodes.is_staff then 1 end) as staff_messages,
        count(
            case when episodes.is_staff and episodes.created_at <= resolved.happened_at then 1 end
        ) as staff_messages_to_resolution,
        min(case when episodes.is_escalating then episodes.created_at end) as escalated_at
    from episodes
    left join resolved
        on resolved.source = episodes.source
        and resolved.root_id = episodes.root_id
        and resolved.episode = episodes.episode
        and resolved.place = 1
    group by episodes.source, episodes.root_id, episodes.episode
)
select
    openers.source,
    openers.thread_id,
    openers.root_id,
    openers.episode,
    openers.message_id,
    openers.author_id,
    openers.person,
    openers.created_at as opened_at,
    openers.direction,
    openers.kind as message_kind,
    openers.channel,
    openers.lang,
    openers.url,
    case
        when openers.direction = 'inbound' then 'inbound'
        when openers.direction = 'ambient' and answers.first_response_at is not null then 'outreach'
    end as issue_kind,
    answers.first_response_at,
    answers.first_peer_answer_at,
    counts.escalated_at,
    resolved.happened_at as resolved_at,
    resolved.way as resolved_by,
    resolved.solver_role,
    resolved.solver is not null and resolved.solver <> openers.person as is_solved_by_another,
    openers.is_reopening,
    case when openers.is_reopened then openers.next_at end as reopened_at,
    counts.messages,
    counts.staff_messages,
    counts.staff_messages_to_resolution
from openers
join counts
    on counts.source = openers.source
    and counts.root_id = openers.root_id
    and counts.episode = openers.episode
left join answers
    on answers.source = openers.source
    and answers.root_id = openers.root_id
    and answers.episode = openers.episode
left join resolved
    on resolved.source = openers.source
    and resolved.root_id = openers.root_id
    and resolved.episode = openers.episode
    and resolved.place = 1
