-- title: Abandoned carts
-- question: How many fill a cart and leave?
-- definition: Sessions with a cart and no purchase, divided by all sessions on our site.
-- unit: ratio
-- better: down
-- statistic: ratio
-- communities: sales
-- version: 1
-- table: site_traffic
-- lowest: 0
-- highest: 1

-- One row per period.
select
    periods.period_start,
    'all' as segment,
    cast(sum(site_traffic.abandoned_sessions) as double)
        / nullif(sum(site_traffic.sessions), 0) as value,
    sum(site_traffic.sessions) as n
from site_traffic
join periods
    on site_traffic.date >= periods.period_start and site_traffic.date < periods.end_on
where site_traffic.segment = 'all'
group by periods.period_start
