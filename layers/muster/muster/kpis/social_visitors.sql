-- title: Visitors from social media
-- question: How many come to our site from social media?
-- definition: Visitors of each day from social channels (organic and paid), added up; of the
--   targeted segments if some are configured.
-- unit: count
-- better: up
-- statistic: count
-- communities: sales, audience
-- starter: sales
-- version: 1
-- table: site_traffic
-- zero: all

with
social as (
    select site_traffic.*
    from site_traffic
    join targeted_segments
        on targeted_segments.segment = site_traffic.segment
    where site_traffic.channel in ('organic_social', 'paid_social')
)
-- One row per period.
select
    periods.period_start,
    'all' as segment,
    sum(social.visitors) as value,
    sum(social.visitors) as n
from social
join periods
    on social.date >= periods.period_start and social.date < periods.end_on
group by periods.period_start
