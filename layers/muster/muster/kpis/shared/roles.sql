-- One row per message written before the run's as_of, deleted ones included, who wrote it (a view).
-- As which person, and in which role: bot before staff before member; a suspected account is a bot's
-- in all its messages.
with
written as (
    select * from written_messages
),
suspected as (
    select distinct source, member_id from suspected_accounts
)
select
    written.source,
    written.message_id,
    written.thread_id,
    written.parent_id,
    written.author_id,
    marked_accounts.person_id,
    -- A hidden author is nobody else's person.
    coalesce(
        'person ' || marked_accounts.person_id,
        'account ' || written.source || ' ' || written.author_id,
        'hidden ' || written.source || ' ' || written.message_id
    ) as person,
    case
        when written.author_role = 'bot'
            or coalesce(marked_accounts.is_bot, false)
            or coalesce(listed_messages.bot, 0) = 1
            or suspected.member_id is not null
            or coalesce(regexp_matches(written.text, $auto_replies), false)
            or coalesce(
                regexp_matches(written.source || chr(10) || written.text, $own_auto_replies), false
            ) then 'bot'
        when written.author_role = 'staff' or coalesce(listed_messages.staff, 0) = 1 then 'staff'
        else 'member'
    end as role,
    written.created_at,
    day_spans.day,
    written.deleted_at is not null as is_deleted,
    written.kind,
    written.direction,
    written.channel,
    written.tags,
    written.url,
    written.lang,
    written.text,
    written.is_solution,
    written.sentiment
from written
left join marked_accounts
    on marked_accounts.source = written.source
    and marked_accounts.member_id = written.author_id
left join listed_messages
    on listed_messages.source = written.source
    and listed_messages.message_id = written.message_id
left join suspected
    on suspected.source = written.source and suspected.member_id = written.author_id
left join day_spans
    on day_spans.utc_day = cast(written.created_at as date)
    and written.created_at >= day_spans.start_at
    and written.created_at < day_spans.end_at
