-- One row per message written before the run's as_of, deleted ones included:
-- who wrote it, as which person, in which role (bot before staff before member; a suspected account
-- is a bot's in all its messages).
with
written as (
    select * from messages where created_at < $as_of
),
accounts as (
    select * from members
),
listed_messages as (
    select
        messages.source,
        messages.message_id,
        max(case when listed_accounts.role = 'bot' then 1 else 0 end) as bot,
        max(case when listed_accounts.role = 'staff' then 1 else 0 end) as staff
    from messages
    join listed_accounts
        on listed_accounts.source = messages.source
        and listed_accounts.member_id = messages.author_id
        and messages.created_at >= listed_accounts.from_at
        and messages.created_at < listed_accounts.until_at
    group by messages.source, messages.message_id
),
suspected as (
    select distinct source, member_id from suspected_accounts
),
judged as (
    select
        written.source,
        written.message_id,
        coalesce(joined_lines.thread_id, written.thread_id) as thread_id,
        coalesce(joined_lines.parent_id, written.parent_id) as parent_id,
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
    left join suspected
        on suspected.source = written.source and suspected.member_id = written.author_id
    left join source_settings
        on source_settings.source = written.source
    -- Lines of a chat, which tell no thread.
    left join joined_lines
        on joined_lines.source = written.source and joined_lines.message_id = written.message_id
    left join day_spans
        on day_spans.utc_day = cast(written.created_at as date)
        and written.created_at >= day_spans.start_at
        and written.created_at < day_spans.end_at
)
select
    judged.*,
    -- A thank-you: no question mark, at most 12 words, a closing phrase of its language. Each test
    -- only where the ones before it hold: the last is the dear one.
    case
        when role <> 'member' or text is null then false
        when text like '%?%' or text like '%？%' or text like '%؟%' then false
        when not regexp_matches(text, '^\s*(\S+\s+){0,11}\S*\s*$') then false
        else coalesce(
            regexp_matches(
                lang || ' ' || regexp_replace(text, $thanks_in_advance, ' ', 'g'),
                $closing_phrases
            ), false
        ) or coalesce(
            regexp_matches(
                source || chr(10) || lang || ' '
                    || regexp_replace(text, $thanks_in_advance, ' ', 'g'),
                $own_closing_phrases
            ), false
        )
    end as is_closing,
    case
        when role <> 'staff' or text is null then false
        else coalesce(regexp_matches(text, $escalation), false)
            or coalesce(regexp_matches(source || chr(10) || text, $own_escalation), false)
    end as is_sending_away,
    -- The text, if a member's and it names a brand or product term.
    case
        when role = 'member'
            and (regexp_matches(text, $brand_terms) or regexp_matches(text, $product_terms))
            then text
    end as naming_text
from judged
