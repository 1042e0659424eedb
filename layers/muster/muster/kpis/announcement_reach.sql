-- title: Announcement reach
-- question: How many of the members see what we post?
-- definition: Mean views of staff's posts whose views the platform tells, divided by the members
--   known (joined or written) at the period's end.
-- unit: ratio
-- better: up
-- statistic: mean
-- communities: support, product, employee, audience, sales
-- starter: employee
-- version: 1
-- table: messages
-- lowest: 0

with
seen as (
    select period_days.period_start, avg(our_posts.views) as views, count(*) as posts
    from our_posts
    join period_days
        on period_days.day = our_posts.day
    where our_posts.views is not null
    group by period_days.period_start
)
-- One row per period. A post can be seen by more people than there are members.
select
    seen.period_start,
    'all' as segment,
    seen.views / member_counts.members as value,
    seen.posts as n
from seen
join member_counts
    on member_counts.period_start = seen.period_start
where member_counts.members > 0
