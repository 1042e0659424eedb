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
ended_roots as (
    select distinct told_roots.root_number, told_roots.source, told_roots.thread_id
    from told_roots
    join ended
        on ended.source = told_roots.source and ended.thread_id = told_roots.thread_id
),
last_words as (
    select counted_messages.root_number, max(counted_messages.created_at) as last_at
    from counted_messages
    join ended_roots
        on ended_roots.root_number = counted_messages.root_number
    group by counted_messages.root_number
),
conversations as (
    select ended_roots.*, last_words.last_at
    from last_words
    join ended_roots
        on ended_roots.root_number = last_words.root_number
),
happened as (
    select
        solutions.root_number,
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
        conversations.root_number, threads.solved_at, 'solution',
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
    group by conversations.root_number, threads.solved_at
    union all
    select conversations.root_number, threads.closed_at, 'closed', null, null
    from conversations
    join threads
        on threads.source = conversations.source and threads.thread_id = conversations.thread_id
    where threads.closed_at is not null
    union all
    select counted_messages.root_number, counted_messages.created_at, 'tag', null, null
    from counted_messages
    join resolution_tagged
        on resolution_tagged.source = counted_messages.source
        and resolution_tagged.message_id = counted_messages.message_id
    union all
    select conversations.root_number, conversations.last_at, 'tag', null, null
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
