-- title: Conversion
-- question: How many visits end in a purchase?
-- definition: Purchases divided by sessions on our site; by channel.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: sales
-- starter: sales
-- version: 1
-- table: site_traffic
-- lowest: 0

-- One row per period and channel. A session may end in more than one purchase.
select
    periods.period_start,
    site_traffic.channel as segment,
    cast(sum(site_traffic.purchases) as double) / nullif(sum(site_traffic.sessions), 0) as value,
    sum(site_traffic.sessions) as n
from site_traffic
join periods
    on site_traffic.date >= periods.period_start and site_traffic.date < periods.end_on
where site_traffic.segment = 'all'
group by periods.period_start, site_traffic.channel
