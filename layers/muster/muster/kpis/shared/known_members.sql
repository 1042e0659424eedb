-- One row per member: the first we know of the person. An account joined (unless it is staff's or
-- a bot's, by its flag or by the settings on that day), or a message of it as a member.
with
joined as (
    select
        members.source,
        members.member_id,
        coalesce(
            'person ' || members.person_id,
            'account ' || members.source || ' ' || members.member_id
        ) as person,
        members.joined_at
    from members
    left join named_accounts
        on (named_accounts.source is null or named_accounts.source = members.source)
        and (
            named_accounts.account = members.member_id
            or lower(named_accounts.account) = trim(leading '@' from lower(members.handle))
        )
        and members.joined_at >= named_accounts.from_at
        and members.joined_at < named_accounts.until_at
    where members.joined_at < $as_of
        and members.role = 'member'
        and not coalesce(members.is_bot, false)
        and named_accounts.account is null
),
firsts as (
    select person, joined_at as first_at from joined
    union all
    select person, created_at
    from human_messages
    where role = 'member' and author_id is not null
)
select person, min(first_at) as first_at
from firsts
group by person
