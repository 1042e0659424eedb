-- One row per period: the members who wrote in it, and the days on which each did, summed (kept by
-- period).
select period_start, count(*) as members, sum(days) as days from writers group by period_start
