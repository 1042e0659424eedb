-- One row per period: the pairs of members of whom one replied to the other in it (kept by period).
with
pairs as (
    select distinct period_days.period_start, thread_connections.one, thread_connections.other
    from thread_connections
    join period_days
        on period_days.day = thread_connections.day
)
select period_start, count(*) as pairs from pairs group by period_start
