-- One row per conversation whose story is one episode: its opener, and what followed (a view).
-- All but the resolution is told in calm_roots: it comes after the last question. A calm root opens
-- its thread: of what hangs below an announcement it is not known who wrote it.
with
ranked as (
    select
        *,
        row_number() over (
            partition by root_number order by happened_at, rank, solver
        ) as place
    from resolutions
),
ends as (
    select * from ranked where place = 1
),
-- Where staff wrote on after the resolution, the messages up to it.
counts as (
    select
        ends.root_number,
        count(case when counted_messages.created_at <= ends.happened_at then 1 end)
            as staff_messages
    from ends
    join calm_roots
        on calm_roots.root_number = ends.root_number
        and calm_roots.last_staff_at > ends.happened_at
    join counted_messages
        on counted_messages.root_number = ends.root_number
    where counted_messages.is_staff
    group by ends.root_number
),
-- Staff's message is last and the quiet hours passed; an escalated issue never ends this way.
told as (
    select
        *,
        case
            when last_staff_at > last_ask_at
                and escalated_at is null
                and last_staff_at + interval 1 second * quiet_seconds < $as_of
                then last_staff_at + interval 1 second * quiet_seconds
        end as assumed_at
    from calm_roots
)
select
    thread_openings.source,
    thread_openings.thread_id,
    thread_openings.message_id as root_id,
    1 as episode,
    thread_openings.message_id,
    thread_openings.author_id,
    thread_openings.person,
    thread_openings.created_at,
    thread_openings.kind,
    thread_openings.direction,
    thread_openings.channel,
    thread_openings.lang,
    thread_openings.url,
    false as is_reopening,
    cast(null as timestamp) as reopened_at,
    told.messages,
    told.staff_messages,
    told.escalated_at,
    told.first_response_at,
    told.first_peer_answer_at,
    least(
        coalesce(ends.happened_at, told.assumed_at), coalesce(told.assumed_at, ends.happened_at)
    ) as resolved_at,
    ends.happened_at,
    ends.way,
    ends.solver,
    ends.solver_role,
    coalesce(counts.staff_messages, told.staff_messages) as staff_messages_to_resolution
from told
join thread_openings
    on thread_openings.thread_number = told.root_number
left join ends
    on ends.root_number = told.root_number
left join counts
    on counts.root_number = told.root_number
