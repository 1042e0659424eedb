-- One row per period and member who wrote in it, with the days on which the member did.
select periods.period_start, daily_writers.person, count(*) as days
from daily_writers
join periods
    on daily_writers.day >= periods.period_start and daily_writers.day < periods.end_on
group by periods.period_start, daily_writers.person
