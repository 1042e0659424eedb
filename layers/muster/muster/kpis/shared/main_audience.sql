-- One row per measurement of a source's main audience before the run's as_of: followers if it has
-- any, else subscribers, else members.
with
main_metrics as (  -- one row per source: the metric that stands for its audience
    select
        source,
        min(case metric when 'followers' then 1 when 'subscribers' then 2 else 3 end) as rank
    from audience
    where metric in ('followers', 'subscribers', 'members') and segment = 'all'
        and measured_on < $as_of
    group by source
)
select audience.*
from audience
join main_metrics
    on main_metrics.source = audience.source
    and main_metrics.rank
        = case audience.metric when 'followers' then 1 when 'subscribers' then 2 else 3 end
where audience.segment = 'all'
    and audience.metric in ('followers', 'subscribers', 'members')
    and audience.measured_on < $as_of
