-- title: Engagement
-- question: How many of our followers react to a post?
-- definition: Likes, reposts and replies of a post of ours, divided by its source's followers on
--   that day, as the mean over our posts whose source's followers are known.
-- unit: ratio
-- better: up
-- statistic: mean
-- communities: audience, sales, product
-- starter: audience
-- goal: Posts that people react to | Be a channel people choose | at_least 2%
-- version: 1
-- table: messages
-- from_days: mean
-- lowest: 0

-- One row per period. A post can be liked by more people than follow us.
select
    period_days.period_start,
    'all' as segment,
    avg(
        cast(our_posts.likes + our_posts.reposts + our_posts.replies as double)
            / daily_followers.followers
    ) as value,
    count(*) as n
from our_posts
join period_days
    on period_days.day = our_posts.day
join daily_followers
    on daily_followers.source = our_posts.source and daily_followers.day = our_posts.day
where daily_followers.followers > 0
group by period_days.period_start
