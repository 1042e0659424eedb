-- One row per explicit resolution of a conversation: an accepted solution, the platform's word
-- that it is closed, or a configured tag.
with
placed as (
    select roles.*, roots.root_id
    from roles
    join roots
        on roots.source = roles.source and roots.message_id = roles.message_id
    where not roles.is_deleted
),
conversations as (
    select source, thread_id, root_id, max(created_at) as last_at
    from human_messages
    group by source, thread_id, root_id
),
solutions as (
    select * from placed where is_solution
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
    left join placed as solvers
        on solvers.source = threads.source
        and solvers.thread_id = threads.thread_id
        and solvers.author_id = threads.solved_by
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
    join resolution_tags
        on list_contains(human_messages.tags, resolution_tags.tag)
        and (resolution_tags.source is null or resolution_tags.source = human_messages.source)
    union all
    select conversations.source, conversations.root_id, conversations.last_at, 'tag', null, null
    from conversations
    join threads
        on threads.source = conversations.source and threads.thread_id = conversations.thread_id
    join resolution_tags
        on list_contains(threads.tags, resolution_tags.tag)
        and (resolution_tags.source is null or resolution_tags.source = conversations.source)
)
select distinct * from happened where happened_at < $as_of
