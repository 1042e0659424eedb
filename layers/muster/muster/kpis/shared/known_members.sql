-- One row per member: the first we know of the person. An account joined (unless it is staff's or
-- a bot's, by its flag or by the settings on that day, or suspected), or a message of it as a
-- member (kept by person).
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
    left join listed_accounts
        on listed_accounts.source = members.source
        and listed_accounts.member_id = members.member_id
        and listed_accounts.role in ('bot', 'staff')
        and members.joined_at >= listed_accounts.from_at
        and members.joined_at < listed_accounts.until_at
    left join suspected_accounts
        on suspected_accounts.source = members.source
        and suspected_accounts.member_id = members.member_id
    where members.joined_at < $as_of
        and members.role = 'member'
        and not coalesce(members.is_bot, false)
        and listed_accounts.member_id is null
        and suspected_accounts.member_id is null
),
dated as (
    select person, joined_at as first_at from joined
    union all
    select person, first_at from daily_writers
),
firsts as (
    select person, min(first_at) as first_at
    from dated
    group by person
)
select firsts.person, firsts.first_at, day_spans.day as first_day
from firsts
left join day_spans
    on day_spans.utc_day = cast(firsts.first_at as date)
    and firsts.first_at >= day_spans.start_at
    and firsts.first_at < day_spans.end_at
