-- title: Sales from social media
-- question: How many come to us from social media and buy?
-- definition: Purchases on our site by visitors from social channels; by channel.
-- unit: count
-- better: up
-- statistic: count
-- communities: sales, audience
-- version: 2
-- influence: site, catalogue, sales
-- table: site_traffic
-- lowest: 0

-- One row per period and channel.
select period_start, channel as segment, purchases as value, purchases as n from social_outcomes
