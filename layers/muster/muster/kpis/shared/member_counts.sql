-- One row per period: the members known (joined or written) at its end.
with
beginnings as (
    select min(period_start) as day from periods
),
firsts as (  -- who was known before the first period is known in it
    select
        greatest(coalesce(newcomer_days.first_day, beginnings.day), beginnings.day) as day,
        newcomer_days.members
    from newcomer_days
    cross join beginnings
),
gained as (
    select period_days.period_start, coalesce(sum(firsts.members), 0) as members
    from period_days
    left join firsts
        on firsts.day = period_days.day
    group by period_days.period_start
)
select period_start, sum(members) over (order by period_start) as members
from gained
