-- title: Followers gained
-- question: Are we winning people over?
-- definition: Change of followers less suspected bots, from the last measurement before the
--   period (at most 35 days before it) to the last in it, summed over a source's accounts; no
--   value while one account is missing.
-- unit: count
-- better: up
-- statistic: state
-- communities: audience, sales, product, support
-- starter: audience
-- version: 1
-- table: audience
-- rows: select period_start, source as segment, source, account, before_on, before_value,
--   before_suspected, last_on, last_value, last_suspected, gained from follower_changes

-- One row per period and source.
select period_start, source as segment, sum(gained) as value, count(*) as n
from follower_changes
group by period_start, source
having count(gained) = count(*)
