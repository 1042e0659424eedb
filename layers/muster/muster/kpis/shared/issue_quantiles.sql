-- Kaplan-Meier: one row per clock, period, segment and share (0.5, 0.1): the smallest time t by which
-- at most that share of the issues still wait, of n; none where the share is never reached (kept by
-- period).
-- Put in order of time, events before the censored at a tie, r of n are at risk at each. While
-- nobody is censored, (r-1)/n still wait after it. One censored of r at risk stands for a share of
-- those who stay and lengthens what follows by r/(r-1). Both products are sums of logarithms over
-- stretches of the order, some sqrt(n) each; the stretch in which a share is reached is walked.
with
ranked as (
    select
        queue,
        t,
        row_number() over (partition by queue order by t desc) as at_risk
    from issue_waits
),
placed as (
    select
        queue * 100000 + cast(floor(sqrt(at_risk)) as bigint) as stretch,
        queue,
        t,
        at_risk,
        case
            when t % 2 = 1 and at_risk > 1 then ln(at_risk / (at_risk - cast(1 as double))) else 0
        end as lengthening
    from ranked
),
stretches as (
    select
        queue,
        stretch,
        min(at_risk) as last_at_risk,
        max(at_risk) as first_at_risk,
        sum(lengthening) as lengthening
    from placed
    group by queue, stretch
),
summed as (
    select
        queue,
        stretch,
        last_at_risk - 1 as left_over,
        max(first_at_risk) over (partition by queue) as n,
        sum(lengthening) over (
            partition by queue order by stretch desc
            rows between unbounded preceding and current row
        ) as lengthening,
        lengthening as own_lengthening
    from stretches
),
shares as (
    select 0.5 as share
    union all
    select 0.1
),
-- The first stretch by which so few still wait; before it the least lengthening of those by which
-- they do. The rows are looked for with this alone, not with all stretches.
reaching as (
    select
        shares.share,
        summed.queue,
        max(summed.stretch) as stretch,
        max(summed.n) as n,
        min(summed.lengthening - summed.own_lengthening) as lengthening
    from summed
    cross join shares
    where exp(summed.lengthening) * summed.left_over / summed.n <= shares.share + 1e-9
    group by shares.share, summed.queue
),
walked as (
    select
        reaching.share,
        placed.queue,
        placed.t,
        reaching.n,
        exp(
            reaching.lengthening
            + sum(placed.lengthening) over (
                partition by reaching.share, placed.queue order by placed.at_risk desc
                rows between unbounded preceding and current row
            )
        ) * (placed.at_risk - 1) / reaching.n as waiting
    from placed
    join reaching
        on reaching.stretch = placed.stretch
)
select
    queues.clock,
    queues.period_start,
    queues.segment,
    walked.share,
    min(walked.t) / 2000.0 as t,
    walked.n
from walked
join queues
    on queues.queue = walked.queue
where walked.t % 2 = 0 and walked.waiting <= walked.share + 1e-9
group by queues.clock, queues.period_start, queues.segment, walked.share, walked.n
