-- One row per clock of an issue, the period in which it was opened, and its segment (a view).
-- Clock and segment are one number, the time is twice its milliseconds and 1 more if censored: to
-- sort them is what costs in issue_quantiles.
with
kinds as (
    select 11 as kind, 'first_response' as clock, 'all' as segment
    union all
    select 12, 'first_response', 'inbound'
    union all
    select 13, 'first_response', 'outreach'
    union all
    select 21, 'first_response_business', 'all'
    union all
    select 22, 'first_response_business', 'inbound'
    union all
    select 23, 'first_response_business', 'outreach'
    union all
    select 31, 'resolution', 'all'
),
opened as (
    select
        period_days.period_start,
        issues.issue_kind,
        cast(round(issues.wait_seconds * 1000) as bigint) * 2
            + case when issues.is_answered then 0 else 1 end as first_response,
        cast(round(issues.wait_business_seconds * 1000) as bigint) * 2
            + case when issues.is_answered then 0 else 1 end as first_response_business,
        cast(round(issues.resolution_seconds * 1000) as bigint) * 2
            + case when issues.resolved_at is null then 1 else 0 end as resolution
    from issues
    join period_days
        on period_days.day = issues.opened_day
)
select
    kinds.kind,
    opened.period_start,
    case kinds.clock
        when 'first_response' then opened.first_response
        when 'first_response_business' then opened.first_response_business
        else opened.resolution
    end as t
from opened
cross join kinds
where (kinds.segment = 'all' or kinds.segment = opened.issue_kind)
    and (kinds.clock <> 'first_response_business' or opened.first_response_business is not null)
