-- One row per account, UTC day and rule by which it behaves like a bot on it (rule_version 1):
--   duplicate_text: 8 messages of one text, at least 30 characters long, in one UTC day;
--   burst: 100 messages in one ten-minute slot of the UTC clock (12:00, 12:10 …).
-- Reposts and automatic replies are never evidence; deleted messages are. Who may be suspected at
-- all is told in suspected_accounts (kept by utc_day).
with
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
    where messages.created_at < $as_of
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
)
select 'duplicate_text' as rule, source, author_id, day as utc_day, times, first_at from duplicates
union all
select 'burst', source, author_id, day, times, first_at from bursts
