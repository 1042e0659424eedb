-- One row per period and social channel that a source which counts visits covers, and once told.
with
channels as (
    select distinct site_traffic.channel
    from site_traffic
    join visiting_sources
        on visiting_sources.source = site_traffic.source
    where site_traffic.channel in ('organic_social', 'paid_social')
        and site_traffic.segment = 'all'
)
select distinct visited_periods.period_start, channels.channel
from visited_periods
cross join channels
