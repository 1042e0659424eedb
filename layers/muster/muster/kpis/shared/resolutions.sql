-- One row per explicit resolution of a conversation: an accepted solution, the platform's word
-- that it is closed, or a configured tag.
with
ended as (
    select distinct threads.source, threads.thread_id
    from threads
    left join resolution_tags
        on list_contains(threads.tags, resolution_tags.tag)
    where threads.solved_at is not null
        or threads.closed_at is not null
        or resolution_tags.tag is not null
),
conversations as (
    select human_messages.source, human_messages.thread_id, human_messages.root_id,
        max(human_messages.created_at) as last_at
    from human_messages
    join ended
        on ended.source = human_messages.source and ended.thread_id = human_messages.thread_id
    group by human_messages.source, human_messages.thread_id, human_messages.root_id
),
happened as (
    select
        solutions.source,
        solutions.root_id,
        coalesce(threads.solved_at, solutions.created_at) as happened_at,
        'solution' as way,
        solutions.person as solver,
        solutions.role as solver_role
    from solutions
    left join threads
        on threads.source = solutions.source and threads.thread_id = solutions.thread_id
    union all
    -- The platform knows of a solution whose message the lake lacks.
    select
        conversations.source, conversations.root_id, threads.solved_at, 'solution',
        max(solvers.person), max(solvers.role)
    from conversations
    join threads
        on threads.source = conversations.source and threads.thread_id = conversations.thread_id
    left join solutions
        on solutions.source = conversations.source
        and solutions.thread_id = conversations.thread_id
    left join solver_roles as solvers
        on solvers.source = threads.source
        and solvers.thread_id = threads.thread_id
        and solvers.author_id = threads.solved_by
        and not solvers.is_deleted
    where threads.solved_at is not null and solutions.message_id is null
    group by conversations.source, conversations.root_id, threads.solved_at
    union all
    select conversations.source, conversations.root_id, threads.closed_at, 'closed', null, null
    from conversations
    join threads
        on threads.source = conversations.source and threads.thread_id = conversations.thread_id
    where threads.closed_at is not null
    union all
    select
        human_messages.source, human_messages.root_id, human_messages.created_at,
        'tag', null, null
    from human_messages
    join messages
        on messages.source = human_messages.source
        and messages.message_id = human_messages.message_id
    join resolution_tags
        on list_contains(messages.tags, resolution_tags.tag)
        and (resolution_tags.source is null or resolution_tags.source = messages.source)
    union all
    select conversations.source, conversations.root_id, conversations.last_at, 'tag', null, null
    from conversations
    join threads
        on threads.source = conversations.source and threads.thread_id = conversations.thread_id
    join resolution_tags
        on list_contains(threads.tags, resolution_tags.tag)
        and (resolution_tags.source is null or resolution_tags.source = conversations.source)
)
select distinct
    *,
    -- Which counts, of several at one instant.
    case way when 'solution' then 1 when 'closed' then 2 else 3 end as rank
from happened
where happened_at < $as_of
