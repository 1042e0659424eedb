-- One row per issue, period in which it was opened, and segment: all, inbound or outreach.
with
segments as (
    select 'all' as segment
    union all
    select 'inbound'
    union all
    select 'outreach'
)
select periods.period_start, segments.segment, issues.*
from issues
join segments
    on segments.segment in ('all', issues.issue_kind)
join periods
    on issues.opened_at >= periods.start_at and issues.opened_at < periods.end_at
