-- One row per resolved issue, with the period in which it was resolved (a view).
select period_days.period_start, issues.*
from issues
join period_days
    on period_days.day = issues.resolved_day
