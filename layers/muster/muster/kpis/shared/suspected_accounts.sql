-- One row per account and rule by which it behaves like a bot (rule_version 1, suspicious_days).
-- In 3,050 authors' real conversations no human came nearer than 4 and 53 (docs/people.md).
-- `days` says on how many days it was met, `most` how far it went, `since` when it first was.
-- Whoever is or was staff, and known bots, are never suspected.
with
known as (
    select source, member_id from listed_accounts
    union
    select source, member_id from members where is_bot or role in ('bot', 'staff')
    union
    select source, author_id from marked_days
)
select
    suspicious_days.source,
    suspicious_days.author_id as member_id,
    suspicious_days.rule,
    cast(1 as bigint) as rule_version,
    count(distinct suspicious_days.utc_day) as days,
    max(suspicious_days.times) as most,
    min(suspicious_days.first_at) as since
from suspicious_days
left join known
    on known.source = suspicious_days.source and known.member_id = suspicious_days.author_id
where known.member_id is null
group by suspicious_days.source, suspicious_days.author_id, suspicious_days.rule
