-- One row per message written before the run's as_of, deleted ones included:
-- who wrote it, as which person, in which role (bot before staff before member).
with
written as (
    select * from messages where created_at < $as_of
),
accounts as (
    select * from members
),
authors as (
    select distinct written.source, written.author_id, accounts.handle
    from written
    left join accounts
        on accounts.source = written.source and accounts.member_id = written.author_id
    where written.author_id is not null
),
-- One row per author and entry of the settings' lists that names them by id or handle.
listed as (
    select distinct
        authors.source, authors.author_id,
        named_accounts.role, named_accounts.from_at, named_accounts.until_at
    from authors
    join named_accounts
        on (named_accounts.source is null or named_accounts.source = authors.source)
        and (
            named_accounts.account = authors.author_id
            or lower(named_accounts.account) = trim(leading '@' from lower(authors.handle))
        )
),
listed_messages as (
    select
        written.source,
        written.message_id,
        max(case when listed.role = 'bot' then 1 else 0 end) as bot,
        max(case when listed.role = 'staff' then 1 else 0 end) as staff
    from written
    join listed
        on listed.source = written.source
        and listed.author_id = written.author_id
        and written.created_at >= listed.from_at
        and written.created_at < listed.until_at
    group by written.source, written.message_id
)
select
    written.source,
    written.message_id,
    written.thread_id,
    written.parent_id,
    written.author_id,
    -- A hidden author is nobody else's person.
    coalesce(
        'person ' || accounts.person_id,
        'account ' || written.source || ' ' || written.author_id,
        'hidden ' || written.source || ' ' || written.message_id
    ) as person,
    case
        when written.author_role = 'bot'
            or coalesce(accounts.is_bot, false)
            or coalesce(accounts.role, '') = 'bot'
            or coalesce(listed_messages.bot, 0) = 1
            or coalesce(regexp_matches(written.text, $auto_replies), false) then 'bot'
        when written.author_role = 'staff' or coalesce(listed_messages.staff, 0) = 1 then 'staff'
        else 'member'
    end as role,
    written.created_at,
    written.deleted_at is not null as is_deleted,
    written.kind,
    written.direction,
    written.channel,
    written.tags,
    written.url,
    case
        when written.lang is not null
            and written.lang not in ('und', 'zxx', 'mis', 'mul')
            and written.lang not like 'q__' then lower(split_part(written.lang, '-', 1))
        else lower(split_part(coalesce(source_settings.lang, $language), '-', 1))
    end as lang,
    written.text,
    written.is_solution,
    written.sentiment
from written
left join accounts
    on accounts.source = written.source and accounts.member_id = written.author_id
left join listed_messages
    on listed_messages.source = written.source
    and listed_messages.message_id = written.message_id
left join source_settings
    on source_settings.source = written.source
