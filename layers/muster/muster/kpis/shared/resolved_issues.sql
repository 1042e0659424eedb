-- One row per resolved issue, with the period in which it was resolved.
select periods.period_start, issues.*
from issues
join periods
    on issues.resolved_at >= periods.start_at and issues.resolved_at < periods.end_at
