-- title: Followers
-- question: How many people have chosen to hear from us?
-- definition: Each source's last audience measurement (followers, else subscribers, else members)
--   that is not older than 35 days at the period's end, summed over its accounts; no value while
--   one account is missing; never summed over platforms.
-- unit: count
-- better: up
-- statistic: state
-- communities: audience, sales, product, support
-- starter: audience
-- version: 1
-- table: audience
-- from_days: last
-- lowest: 0

-- One row per period and source: what is known on the period's last day.
select
    periods.period_start,
    daily_followers.source as segment,
    daily_followers.followers as value,
    daily_followers.accounts as n
from daily_followers
join periods
    on daily_followers.day = cast(periods.end_on - interval 1 day as date)
