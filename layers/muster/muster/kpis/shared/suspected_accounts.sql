-- One row per account and rule by which it behaves like a bot (rule_version 1):
--   duplicate_text: 8 messages of one text, at least 30 characters long, in one UTC day;
--   burst: 100 messages in one ten-minute slot of the UTC clock (12:00, 12:10 …).
-- In 3,050 authors' real conversations no human came nearer than 4 and 53 (docs/people.md).
-- `days` says on how many days it was met, `most` how far it went, `since` when it first was.
-- Whoever is or was staff, known bots, reposts and automatic replies are never evidence; deleted
-- messages are.
with
known as (
    select source, member_id from listed_accounts
    union
    select source, member_id from members where is_bot or role in ('bot', 'staff')
    union
    select source, author_id from messages where author_role in ('bot', 'staff')
),
busy_days as (
    select source, author_id, cast(created_at as date) as day
    from messages
    where created_at < $as_of
        and author_id is not null
        and author_role = 'member'
        and kind <> 'repost'
    group by source, author_id, cast(created_at as date)
    having count(*) >= 8
),
written as (
    select
        messages.source, messages.author_id, messages.text, messages.created_at, busy_days.day,
        date_trunc('hour', messages.created_at) as in_hour,
        floor(extract(minute from messages.created_at) / 10) as ten_minutes
    from messages
    join busy_days
        on busy_days.source = messages.source
        and busy_days.author_id = messages.author_id
        and busy_days.day = cast(messages.created_at as date)
    left join known
        on known.source = messages.source and known.member_id = messages.author_id
    where known.member_id is null
        and messages.created_at < $as_of
        and messages.kind <> 'repost'
        and not coalesce(regexp_matches(messages.text, $auto_replies), false)
        and not coalesce(
            regexp_matches(messages.source || chr(10) || messages.text, $own_auto_replies), false
        )
),
duplicates as (
    select source, author_id, day, count(*) as times, min(created_at) as first_at
    from written
    where length(text) >= 30
    group by source, author_id, day, text
    having count(*) >= 8
),
bursts as (
    select source, author_id, day, count(*) as times, min(created_at) as first_at
    from written
    group by source, author_id, day, in_hour, ten_minutes
    having count(*) >= 100
),
evidence as (
    select 'duplicate_text' as rule, source, author_id, day, times, first_at from duplicates
    union all
    select 'burst', source, author_id, day, times, first_at from bursts
)
select
    source,
    author_id as member_id,
    rule,
    cast(1 as bigint) as rule_version,
    count(distinct day) as days,
    max(times) as most,
    min(first_at) as since
from evidence
group by source, author_id, rule
