-- title: Likes
-- question: Do people like what we post?
-- definition: Likes and reactions to our posts of the period, as the platforms count them now.
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
    period_days.period_start,
    'all' as segment,
    sum(our_posts.likes) as value,
    sum(our_posts.likes) as n
from our_posts
join period_days
    on period_days.day = our_posts.day
group by period_days.period_start
