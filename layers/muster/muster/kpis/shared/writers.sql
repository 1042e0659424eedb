-- One row per period and member who wrote in it, with the days on which the member did. Most accounts
-- are nobody else's: their days are counted before they are given a person's name.
with
accounts as (
    select
        period_days.period_start, daily_authors.source, daily_authors.author_id, count(*) as days
    from daily_authors
    join period_days
        on period_days.day = daily_authors.day
    group by period_days.period_start, daily_authors.source, daily_authors.author_id
)
select
    accounts.period_start,
    'account ' || accounts.source || ' ' || accounts.author_id as person,
    accounts.days
from accounts
left join persons
    on persons.source = accounts.source and persons.member_id = accounts.author_id
where persons.member_id is null
union all
select
    period_days.period_start,
    'person ' || persons.person_id as person,
    count(distinct daily_authors.day) as days
from daily_authors
join persons
    on persons.source = daily_authors.source and persons.member_id = daily_authors.author_id
join period_days
    on period_days.day = daily_authors.day
group by period_days.period_start, persons.person_id
