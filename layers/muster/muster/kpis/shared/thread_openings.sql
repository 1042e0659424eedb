-- One row per thread: its opening message, deleted or not.
-- The root is preferred to the earliest, since clocks of federated authors run apart.
with
ranked as (
    select
        *,
        row_number() over (
            partition by source, thread_id
            order by
                case when message_id = thread_id then 0 else 1 end,
                case when parent_id is null then 0 else 1 end,
                created_at,
                message_id
        ) as place
    from roles
)
select * from ranked where place = 1
