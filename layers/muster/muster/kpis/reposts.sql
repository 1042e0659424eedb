-- title: Reposts
-- question: Do people pass on what we post?
-- definition: Reposts and quotes of our posts of the period, as the platforms count them now.
-- unit: count
-- better: up
-- statistic: count
-- communities: audience, sales, product
-- starter: audience
-- version: 1
-- table: messages
-- from_days: sum
-- lowest: 0
-- zero: all

-- One row per period.
select
    periods.period_start,
    'all' as segment,
    sum(our_posts.reposts) as value,
    sum(our_posts.reposts) as n
from our_posts
join periods
    on our_posts.created_at >= periods.start_at and our_posts.created_at < periods.end_at
group by periods.period_start
