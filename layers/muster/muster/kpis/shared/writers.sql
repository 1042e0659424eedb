-- One row per period and member who wrote in it, with the days on which the member did.
select period_days.period_start, daily_writers.person, count(*) as days
from daily_writers
join period_days
    on period_days.day = daily_writers.day
group by period_days.period_start, daily_writers.person
