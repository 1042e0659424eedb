-- One row per local day: the members first known on it; without a day, those of before all days.
select first_day, count(*) as members from known_members group by first_day
