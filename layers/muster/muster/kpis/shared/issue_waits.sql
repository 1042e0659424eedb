-- One row per clock of an issue, the period in which it was opened, and its segment (a view).
-- Clock and segment are one number, the time is twice its milliseconds and 1 more if censored: to
-- sort them is what costs in issue_quantiles.
select
    case segment when 'all' then 11 when 'inbound' then 12 else 13 end as kind,
    period_start,
    cast(round(wait_seconds * 1000) as bigint) * 2
        + case when is_answered then 0 else 1 end as t
from opened_issues
union all
select
    case segment when 'all' then 21 when 'inbound' then 22 else 23 end,
    period_start,
    cast(round(wait_business_seconds * 1000) as bigint) * 2
        + case when is_answered then 0 else 1 end
from opened_issues
where wait_business_seconds is not null
union all
select
    31,
    period_start,
    cast(round(resolution_seconds * 1000) as bigint) * 2
        + case when resolved_at is null then 1 else 0 end
from opened_issues
where segment = 'all'
