-- One row per period: the members new in the period before, and how many of them wrote in this one
-- (kept by period, and by the one before).
with
newcomers as (
    select previous_days.period_start, known_members.person
    from known_members
    join previous_days
        on previous_days.day = known_members.first_day
)
select newcomers.period_start, count(*) as members, count(writers.person) as stayed
from newcomers
left join writers
    on writers.period_start = newcomers.period_start and writers.person = newcomers.person
group by newcomers.period_start
