-- One row per thread: its opening message, deleted or not.
-- The root is preferred to the earliest, since clocks of federated authors run apart.
with
heads as (
    select *, 1 as place from roles where message_id = thread_id
),
headless as (
    select roles.*
    from roles
    left join heads
        on heads.source = roles.source and heads.thread_id = roles.thread_id
    where heads.message_id is null
),
ranked as (
    select
        *,
        row_number() over (
            partition by source, thread_id
            order by case when parent_id is null then 0 else 1 end, created_at, message_id
        ) as place
    from headless
)
select * from heads
union all
select * from ranked where place = 1
