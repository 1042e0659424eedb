-- One row per local day and member who wrote on it: the first time they did.
with
persons as (
    select source, member_id, person_id from members where person_id is not null
)
select
    daily_authors.day,
    coalesce(
        'person ' || persons.person_id,
        'account ' || daily_authors.source || ' ' || daily_authors.author_id
    ) as person,
    min(daily_authors.first_at) as first_at
from daily_authors
left join persons
    on persons.source = daily_authors.source and persons.member_id = daily_authors.author_id
group by
    daily_authors.day,
    coalesce(
        'person ' || persons.person_id,
        'account ' || daily_authors.source || ' ' || daily_authors.author_id
    )
