-- One row per episode of a livelier story: its opener, and what followed (a view).
with
openers as (
    select
        *,
        lead(created_at) over (partition by root_number order by episode) as next_at,
        lead(is_reopening) over (partition by root_number order by episode) as is_reopened
    from lively_episodes
    where is_opening
),
-- What was said of the messages that open: some open a thread, the others are looked for.
later as (
    select distinct openers.source, openers.message_id
    from openers
    left join thread_openings
        on thread_openings.source = openers.source
        and thread_openings.message_id = openers.message_id
    where thread_openings.message_id is null
),
said as (
    select source, message_id, kind, direction, channel, lang, url from thread_openings
    union all
    select
        written_messages.source,
        written_messages.message_id,
        written_messages.kind,
        written_messages.direction,
        written_messages.channel,
        written_messages.lang,
        written_messages.url
    from written_messages
    join later
        on later.source = written_messages.source and later.message_id = written_messages.message_id
),
-- Of each episode: its messages, and staff's or a member's word to the opener (another person,
-- strictly after).
told as (
    select
        openers.root_number,
        openers.episode,
        count(*) as messages,
        count(case when words.is_staff then 1 end) as staff_messages,
        max(case when words.is_staff then words.created_at end) as last_staff_at,
        min(case when words.is_escalating then words.created_at end) as escalated_at,
        min(
            case
                when words.is_staff and words.person <> openers.person
                    and words.created_at > openers.created_at then words.created_at
            end
        ) as first_response_at,
        min(
            case
                when not words.is_staff and words.person <> openers.person
                    and words.created_at > openers.created_at then words.created_at
            end
        ) as first_peer_answer_at
    from openers
    join lively_episodes as words
        on words.root_number = openers.root_number and words.episode = openers.episode
    group by openers.root_number, openers.episode
),
considered as (
    select
        *,
        lead(created_at) over (partition by root_number, episode order by place) as next_at,
        max(case when is_escalating then 1 else 0 end) over (
            partition by root_number, episode order by place
            rows between unbounded preceding and current row
        ) as escalated
    from lively_episodes
    where episode > 0 and (is_staff or is_asking)
),
-- Staff's message is last and the quiet hours passed; an escalated issue never ends this way.
assumed as (
    select
        root_number,
        episode,
        min(created_at + interval 1 second * quiet_seconds) as assumed_at
    from considered
    where is_staff
        and escalated = 0
        and created_at + interval 1 second * quiet_seconds < $as_of
        and (next_at is null or next_at > created_at + interval 1 second * quiet_seconds)
    group by root_number, episode
),
ranked as (
    select
        openers.root_number,
        openers.episode,
        resolutions.happened_at,
        resolutions.way,
        resolutions.solver,
        resolutions.solver_role,
        row_number() over (
            partition by openers.root_number, openers.episode
            order by resolutions.happened_at, resolutions.rank, resolutions.solver
        ) as place
    from openers
    join resolutions
        on resolutions.root_number = openers.root_number
        and resolutions.happened_at >= openers.created_at
        and (openers.next_at is null or resolutions.happened_at < openers.next_at)
),
ended as (
    select
        told.*,
        least(
            coalesce(ranked.happened_at, assumed.assumed_at),
            coalesce(assumed.assumed_at, ranked.happened_at)
        ) as resolved_at,
        ranked.happened_at,
        ranked.way,
        ranked.solver,
        ranked.solver_role
    from told
    left join assumed
        on assumed.root_number = told.root_number and assumed.episode = told.episode
    left join ranked
        on ranked.root_number = told.root_number and ranked.episode = told.episode
        and ranked.place = 1
),
-- Where staff wrote on after the resolution, the messages up to it.
counts as (
    select
        words.root_number,
        words.episode,
        count(case when words.created_at <= ended.resolved_at then 1 end) as staff_messages
    from ended
    join lively_episodes as words
        on words.root_number = ended.root_number and words.episode = ended.episode
    where words.is_staff and ended.last_staff_at > ended.resolved_at
    group by words.root_number, words.episode
)
select
    openers.source,
    told_roots.thread_id,
    told_roots.root_id,
    openers.episode,
    openers.message_id,
    openers.author_id,
    openers.person,
    openers.created_at,
    said.kind,
    said.direction,
    said.channel,
    said.lang,
    said.url,
    openers.is_reopening,
    case when openers.is_reopened then openers.next_at end as reopened_at,
    ended.messages,
    ended.staff_messages,
    ended.escalated_at,
    ended.first_response_at,
    ended.first_peer_answer_at,
    ended.resolved_at,
    ended.happened_at,
    ended.way,
    ended.solver,
    ended.solver_role,
    coalesce(counts.staff_messages, ended.staff_messages) as staff_messages_to_resolution
from ended
join openers
    on openers.root_number = ended.root_number and openers.episode = ended.episode
join told_roots
    on told_roots.root_number = openers.root_number
join said
    on said.source = openers.source and said.message_id = openers.message_id
left join counts
    on counts.root_number = ended.root_number and counts.episode = ended.episode
