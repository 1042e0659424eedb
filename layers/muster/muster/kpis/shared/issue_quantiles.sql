-- Kaplan-Meier: one row per clock, period, segment and share (0.5, 0.1): the smallest time t by which
-- at most that share of the issues still wait, of n; none where the share is never reached (kept by
-- period).
-- Put in order of time, events before the censored at a tie, k of n left behind: while nobody is
-- censored, (n-k)/n still wait. One censored of r at risk stands for a share of those who stay and
-- lengthens what follows by r/(r-1). So between two censored ones the place at which the share is
-- reached is computed, and only that row is looked up.
with
ranked as (
    select
        kind,
        period_start,
        t,
        row_number() over (partition by kind, period_start order by t) as place
    from issue_waits
),
sizes as (
    select
        kind,
        period_start,
        count(*) as n,
        min(case when t % 2 = 1 then place end) as first_place
    from ranked
    group by kind, period_start
),
censored as (
    select
        ranked.kind,
        ranked.period_start,
        ranked.place,
        sizes.n,
        lead(ranked.place) over (
            partition by ranked.kind, ranked.period_start order by ranked.place
        ) as next_place,
        sum(
            case
                when ranked.place < sizes.n
                    then ln((cast(sizes.n as double) - ranked.place + 1) / (sizes.n - ranked.place))
                else 0
            end
        ) over (
            partition by ranked.kind, ranked.period_start order by ranked.place
            rows between unbounded preceding and current row
        ) as lengthening
    from ranked
    join sizes
        on sizes.kind = ranked.kind and sizes.period_start = ranked.period_start
    where ranked.t % 2 = 1
),
stretches as (
    select kind, period_start, n, 0 as after_place, first_place as next_place, 1.0 as factor
    from sizes
    union all
    select kind, period_start, n, place, next_place, exp(lengthening) from censored
),
shares as (
    select 0.5 as share
    union all
    select 0.1
),
reaching as (
    select
        stretches.kind,
        stretches.period_start,
        stretches.n,
        shares.share,
        coalesce(stretches.next_place, stretches.n + 1) as next_place,
        greatest(
            stretches.after_place + 1,
            cast(
                ceil(stretches.n * (1 - (shares.share + 1e-9) / stretches.factor)) as bigint
            )
        ) as place
    from stretches
    cross join shares
),
reached as (
    select kind, period_start, n, share, min(place) as place
    from reaching
    where place < next_place
    group by kind, period_start, n, share
)
select
    case
        when reached.kind < 20 then 'first_response'
        when reached.kind < 30 then 'first_response_business'
        when reached.kind < 40 then 'resolution'
        else 'delivery'
    end as clock,
    reached.period_start,
    case reached.kind % 10 when 1 then 'all' when 2 then 'inbound' else 'outreach' end as segment,
    reached.share,
    (ranked.t - ranked.t % 2) / 2000.0 as t,
    reached.n
from reached
join ranked
    on ranked.kind = reached.kind
    and ranked.period_start = reached.period_start
    and ranked.place = reached.place
