-- One row per order of a shop that tells its deliveries, as in issue_waits (a view).
select
    41 as kind,
    period_start,
    cast(round(wait_seconds * 1000) as bigint) * 2
        + case when is_delivered then 0 else 1 end as t
from deliveries
