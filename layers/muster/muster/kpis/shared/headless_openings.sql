-- One row per thread whose root is unknown: the message that opens it, the earliest without a parent.
with
headless as (
    select source, thread_id
    from written_messages
    group by source, thread_id
    having max(case when message_id = thread_id then 1 else 0 end) = 0
),
ranked as (
    select
        written_messages.source,
        written_messages.thread_id,
        written_messages.message_id,
        row_number() over (
            partition by written_messages.source, written_messages.thread_id
            order by
                case when written_messages.parent_id is null then 0 else 1 end,
                written_messages.created_at,
                written_messages.message_id
        ) as place
    from written_messages
    join headless
        on headless.source = written_messages.source
        and headless.thread_id = written_messages.thread_id
)
select source, thread_id, message_id from ranked where place = 1
