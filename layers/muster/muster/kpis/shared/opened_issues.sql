-- One row per issue, period in which it was opened, and segment: all, inbound or outreach (a view).
select period_days.period_start, 'all' as segment, issues.*
from issues
join period_days
    on period_days.day = issues.opened_day
union all
select period_days.period_start, issues.issue_kind, issues.*
from issues
join period_days
    on period_days.day = issues.opened_day
