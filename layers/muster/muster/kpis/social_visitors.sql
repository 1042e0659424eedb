-- title: Visitors from social media
-- question: How many come to our site from social media?
-- definition: Visitors of each day from social channels (organic and paid), added up; of the
--   targeted segments if some are configured; no value if the site breaks its visits down into none.
-- unit: count
-- better: up
-- statistic: count
-- communities: sales, audience
-- starter: sales
-- version: 3
-- table: site_traffic
-- lowest: 0

with
told as (  -- who breaks visits down into other segments only has seen none of these
    select distinct site_traffic.source
    from site_traffic
    left join targeted_segments
        on targeted_segments.segment = site_traffic.segment
    where targeted_segments.segment is not null or site_traffic.segment <> 'all'
),
social as (
    select site_traffic.*
    from site_traffic
    join targeted_segments
        on targeted_segments.segment = site_traffic.segment
    join visiting_sources
        on visiting_sources.source = site_traffic.source
    where site_traffic.channel in ('organic_social', 'paid_social')
),
found as (
    select periods.period_start, sum(social.visitors) as visitors
    from social
    join periods
        on social.date >= periods.period_start and social.date < periods.end_on
    group by periods.period_start
)
-- One row per period; 0 in one that is covered and saw nobody.
select period_start, 'all' as segment, visitors as value, visitors as n from found
union all
select distinct visited_periods.period_start, 'all', 0, 0
from visited_periods
join told
    on told.source = visited_periods.source
left join found
    on found.period_start = visited_periods.period_start
where found.period_start is null
