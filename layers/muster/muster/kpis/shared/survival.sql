-- Kaplan-Meier: one row per clock, period, segment and distinct time, with the share of issues
-- (or orders) still waiting after it. One censored at a time counts as at risk there.
with
timed as (
    select
        'first_response' as clock, period_start, segment,
        wait_seconds as t, is_answered as is_event
    from opened_issues
    union all
    select
        'first_response_business', period_start, segment,
        wait_business_seconds, is_answered
    from opened_issues
    where wait_business_seconds is not null
    union all
    select
        'resolution', period_start, segment,
        resolution_seconds, resolved_at is not null
    from opened_issues
    union all
    select 'delivery', period_start, segment, wait_seconds, is_delivered
    from deliveries
),
times as (
    select
        clock, period_start, segment, t,
        count(*) as leaving,
        sum(case when is_event then 1 else 0 end) as events
    from timed
    group by clock, period_start, segment, t
),
risks as (
    select
        *,
        sum(leaving) over (
            partition by clock, period_start, segment order by t
            rows between current row and unbounded following
        ) as at_risk,
        sum(leaving) over (partition by clock, period_start, segment) as n
    from times
)
select
    clock,
    period_start,
    segment,
    t,
    case
        when min(at_risk - events) over (
            partition by clock, period_start, segment order by t
            rows between unbounded preceding and current row
        ) = 0 then 0
        else exp(sum(ln(nullif(1.0 - cast(events as double) / at_risk, 0))) over (
            partition by clock, period_start, segment order by t
            rows between unbounded preceding and current row
        ))
    end as surviving,
    n
from risks
