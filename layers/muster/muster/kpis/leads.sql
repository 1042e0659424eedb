-- title: Leads from social media
-- question: How many come to us from social media and leave their address?
-- definition: Leads on our site by visitors from social channels; by channel.
-- unit: count
-- better: up
-- statistic: count
-- communities: sales, audience
-- starter: sales
-- version: 1
-- table: site_traffic
-- lowest: 0

-- One row per period and channel.
select period_start, channel as segment, leads as value, leads as n from social_outcomes
