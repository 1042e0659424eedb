-- title: Revenue from social media
-- question: What do those who come from social media spend with us?
-- definition: Revenue on our site from visitors of social channels, by channel, in the community's
--   currency; other currencies are left out. Without a figure there is no value.
-- unit: money
-- better: up
-- statistic: state
-- communities: sales
-- version: 2
-- influence: site, catalogue, sales
-- table: site_traffic

-- One row per period and channel; n counts the days that tell their revenue.
select period_start, channel as segment, revenue as value, days_with_revenue as n
from social_outcomes
