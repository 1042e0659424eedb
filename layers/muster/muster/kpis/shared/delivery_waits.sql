-- One row per order of a shop that tells its deliveries, as in issue_waits (a view).
select
    queues.queue
        + cast(round(deliveries.wait_seconds * 1000) as bigint) * 2
        + case when deliveries.is_delivered then 0 else 1 end as wait
from deliveries
join queues
    on queues.period_start = deliveries.period_start
where queues.clock = 'delivery'
