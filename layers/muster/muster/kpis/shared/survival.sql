-- Kaplan-Meier: one row per clock, period, segment and distinct time, with the share of issues
-- (or orders) still waiting after it. One censored at a time counts as at risk there.
-- Events of one time are taken one after the other, before the censored: of r at risk and d events
-- (r-1)/r × (r-2)/(r-1) × … is (r-d)/r. Clocks and segments are numbers until the end, since
-- sorting is what costs here.
with
timed as (
    select
        1 as clock, period_start,
        case segment when 'all' then 1 when 'inbound' then 2 else 3 end as part,
        wait_seconds as t, case when is_answered then 0 else 1 end as is_censored
    from opened_issues
    union all
    select
        2, period_start,
        case segment when 'all' then 1 when 'inbound' then 2 else 3 end,
        wait_business_seconds, case when is_answered then 0 else 1 end
    from opened_issues
    where wait_business_seconds is not null
    union all
    select
        3, period_start,
        case segment when 'all' then 1 when 'inbound' then 2 else 3 end,
        resolution_seconds, case when resolved_at is not null then 0 else 1 end
    from opened_issues
    union all
    select 4, period_start, 1, wait_seconds, case when is_delivered then 0 else 1 end
    from deliveries
),
ranked as (
    select
        *,
        row_number() over (
            partition by clock, period_start, part order by t, is_censored
        ) as place,
        count(*) over (partition by clock, period_start, part) as n
    from timed
),
stepped as (
    select
        *,
        n - place + 1 as at_risk,
        lead(t) over (partition by clock, period_start, part order by place) as next_t,
        exp(sum(
            case when is_censored = 0 and place < n
                then ln((cast(n as double) - place) / (n - place + 1)) end
        ) over (
            partition by clock, period_start, part order by place
            rows between unbounded preceding and current row
        )) as product
    from ranked
)
select
    case clock
        when 1 then 'first_response'
        when 2 then 'first_response_business'
        when 3 then 'resolution'
        else 'delivery'
    end as clock,
    period_start,
    case part when 1 then 'all' when 2 then 'inbound' else 'outreach' end as segment,
    t,
    case when place = n and is_censored = 0 then 0 else coalesce(product, 1) end as surviving,
    n
from stepped
where next_t is null or next_t > t
