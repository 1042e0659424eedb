-- title: Targeted subscribers gained
-- question: Do we win the people we are looking for?
-- definition: Subscribers (or followers, or members) gained in the targeted segments, as the
--   platform tells; else the change since the measurement before (at most 35 days older), less
--   suspected bots. No value while one change is unknown.
-- unit: count
-- better: up
-- statistic: state
-- communities: audience, sales
-- version: 1
-- table: audience
-- needs: targeted_segments

with
targeted as (
    select
        audience.*,
        case metric when 'followers' then 1 when 'subscribers' then 2 else 3 end as rank
    from audience
    join targeted_segments
        on targeted_segments.segment = audience.segment
    where audience.metric in ('followers', 'subscribers', 'members')
        and audience.measured_on < $as_of
),
ranked as (  -- a source that counts followers and members counts a person twice
    select *, min(rank) over (partition by source) as first_rank from targeted
),
measured as (
    select
        *,
        value - coalesce(suspected_bots, 0) as humans,
        lag(value - coalesce(suspected_bots, 0)) over (
            partition by source, account, segment order by measured_on
        ) as humans_before,
        lag(measured_on) over (
            partition by source, account, segment order by measured_on
        ) as before_on
    from ranked
    where rank = first_rank
),
changes as (
    select
        *,
        coalesce(
            gained,
            case when date_diff('day', before_on, measured_on) <= 35
                then humans - humans_before end
        ) as change
    from measured
)
-- One row per period; n counts the accounts, each segment's apart.
select
    periods.period_start,
    'all' as segment,
    sum(changes.change) as value,
    count(distinct changes.source || ' ' || changes.account || ' ' || changes.segment) as n
from changes
join periods
    on changes.measured_on >= periods.period_start and changes.measured_on < periods.end_on
group by periods.period_start
having count(changes.change) = count(*)
