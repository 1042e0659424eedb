-- One row per local day and member who wrote on it, with the first time (a view).
-- Most accounts are nobody else's: what is told of them needs no summing.
select
    daily_authors.day,
    'account ' || daily_authors.source || ' ' || daily_authors.author_id as person,
    daily_authors.first_at
from daily_authors
left join persons
    on persons.source = daily_authors.source and persons.member_id = daily_authors.author_id
where persons.member_id is null
union all
select daily_authors.day, 'person ' || persons.person_id as person, min(daily_authors.first_at)
from daily_authors
join persons
    on persons.source = daily_authors.source and persons.member_id = daily_authors.author_id
group by daily_authors.day, persons.person_id
