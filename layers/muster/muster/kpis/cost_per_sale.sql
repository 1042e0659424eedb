-- title: Cost of a sale
-- question: What do we pay for each sale?
-- definition: Money spent on ads, divided by the purchases on our site from the same channel, so that
--   social stands beside search; by channel (ad_channels). Other currencies are left out; no spend,
--   no value.
-- unit: money
-- better: down
-- statistic: ratio
-- communities: sales, audience
-- version: 1
-- influence: site, catalogue, sales
-- table: ad_spend
-- lowest: 0

-- One row per period and channel.
select
    period_start,
    channel as segment,
    spend / nullif(purchases, 0) as value,
    purchases as n
from channel_costs
