-- title: Growth of followers
-- question: How fast does our audience grow?
-- definition: Followers gained (less suspected bots), divided by the followers at the period's
--   start; by source, no value while one of its accounts is missing.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: audience, sales
-- version: 1
-- table: audience
-- rows: select period_start, source as segment, source, account, before_on, before_value,
--   before_suspected, last_on, last_value, last_suspected, gained from follower_changes

-- One row per period and source.
select
    period_start,
    source as segment,
    cast(sum(gained) as double) / nullif(sum(before_value), 0) as value,
    sum(before_value) as n
from follower_changes
group by period_start, source
having count(gained) = count(*)
