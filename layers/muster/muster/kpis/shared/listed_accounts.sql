-- One row per account and entry of the settings that means it: by id, by handle, by a group of the
-- platform it is in now, or by a role the platform gives it now; with the days the entry is good
-- for. A role of human clears an account that behaves like a bot.
with
named as (
    select
        role, source, account, lower(account) as handle, group_name, platform_role,
        from_at, until_at
    from named_accounts
),
wrote as (
    select distinct messages.source, messages.author_id as member_id, named.account
    from messages
    join named on named.account = messages.author_id
    union
    select suspicious_days.source, suspicious_days.author_id, named.account
    from suspicious_days
    join named on named.account = suspicious_days.author_id
    union
    select reviews.source, reviews.author_id, named.account
    from reviews
    join named on named.account = reviews.author_id
),
meant as (
    select wrote.source, wrote.member_id, named.source as only_source, named.role,
        named.from_at, named.until_at
    from wrote
    join named on named.account = wrote.account
    union all
    select members.source, members.member_id, named.source, named.role,
        named.from_at, named.until_at
    from members
    join named on named.account = members.member_id
    union all
    select members.source, members.member_id, named.source, named.role,
        named.from_at, named.until_at
    from members
    join named on named.handle = trim(leading '@' from lower(members.handle))
    union all
    select members.source, members.member_id, named.source, named.role,
        named.from_at, named.until_at
    from members
    join named on list_contains(members.groups, named.group_name)
    where named.group_name is not null
    union all
    select members.source, members.member_id, named.source, named.role,
        named.from_at, named.until_at
    from members
    join named on list_contains(members.platform_roles, named.platform_role)
    where named.platform_role is not null
)
select distinct source, member_id, role, from_at, until_at
from meant
where only_source is null or only_source = source
