-- One row per period: the members known (joined or written) at its end.
with
beginnings as (
    select min(start_at) as start_at from periods
),
firsts as (  -- who was known before the first period is known in it
    select greatest(known_members.first_at, beginnings.start_at) as first_at
    from known_members
    cross join beginnings
),
gained as (
    select periods.period_start, count(firsts.first_at) as members
    from periods
    left join firsts
        on firsts.first_at >= periods.start_at and firsts.first_at < periods.end_at
    group by periods.period_start
)
select period_start, sum(members) over (order by period_start) as members
from gained
