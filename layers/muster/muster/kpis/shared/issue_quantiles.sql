-- Kaplan-Meier: one row per clock, period, segment and share (0.5, 0.1): the smallest time t by which
-- at most that share of the issues still wait, of n; none where the share is never reached (kept by
-- period).
-- Put in order of time, events before the censored at a tie, r of n are at risk at each. While
-- nobody is censored, (r-1)/n still wait after it. One censored of r at risk stands for a share of
-- those who stay and lengthens what follows by r/(r-1). Both products are sums of logarithms over
-- blocks of a hundred; the block in which a share is reached is walked.
with
ranked as (
    select
        wait - wait % 10000000000000 as queue,
        wait % 10000000000000 as t,
        row_number() over (order by wait) as place
    from issue_waits
),
blocks as (
    select
        queue,
        place - place % 100 as block,
        max(place) as last_place,
        count(*) as n
    from ranked
    group by queue, place - place % 100
),
ends as (
    select queue, max(last_place) as last_place, cast(sum(n) as bigint) as n
    from blocks
    group by queue
),
-- Of the last one nobody stays: what follows is nobody's.
censored as (
    select
        ranked.queue,
        ranked.place - ranked.place % 100 as block,
        ranked.place,
        case
            when ranked.place = ends.last_place then 0
            else ln(1 + cast(1 as double) / (ends.last_place - ranked.place))
        end as lengthening
    from ranked
    join ends
        on ends.queue = ranked.queue
    where ranked.t % 2 = 1
),
lengthened as (
    select queue, block, sum(lengthening) as lengthening
    from censored
    group by queue, block
),
summed as (
    select
        blocks.queue,
        blocks.block,
        ends.last_place - blocks.last_place as left_over,
        ends.last_place,
        ends.n,
        coalesce(lengthened.lengthening, 0) as own_lengthening,
        sum(coalesce(lengthened.lengthening, 0)) over (
            partition by blocks.queue order by blocks.block
            rows between unbounded preceding and current row
        ) as lengthening
    from blocks
    join ends
        on ends.queue = blocks.queue
    left join lengthened
        on lengthened.queue = blocks.queue
        and lengthened.block = blocks.block
),
shares as (
    select 0.5 as share
    union all
    select 0.1
),
-- The first block by which so few still wait; before it the least lengthening of those by which they
-- do.
reaching as (
    select
        shares.share,
        summed.queue,
        min(summed.block) as block,
        max(summed.last_place) as last_place,
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
        reaching.queue,
        ranked.t,
        reaching.n,
        exp(
            reaching.lengthening
            + sum(coalesce(censored.lengthening, 0)) over (
                partition by reaching.share, reaching.queue order by ranked.place
                rows between unbounded preceding and current row
            )
        ) * (reaching.last_place - ranked.place) / reaching.n as waiting
    from reaching
    join ranked
        on ranked.queue = reaching.queue
        and ranked.place - ranked.place % 100 = reaching.block
    left join censored
        on censored.place = ranked.place
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
