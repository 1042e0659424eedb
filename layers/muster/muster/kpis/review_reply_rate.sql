-- title: Reviews answered
-- question: How many reviews do we answer?
-- definition: Reviews we have answered, divided by all reviews; by the day of the review.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: product, sales
-- starter: product, sales
-- goal: Answer the reviews | Show that we listen | at_least 80%
-- version: 2
-- table: reviews
-- from_days: mean
-- lowest: 0
-- highest: 1

-- One row per period; an answer after as_of is not known yet.
select
    periods.period_start,
    'all' as segment,
    avg(case when counted_reviews.replied_at < $as_of then 1.0 else 0.0 end) as value,
    count(*) as n
from counted_reviews
join periods
    on counted_reviews.created_at >= periods.start_at
    and counted_reviews.created_at < periods.end_at
group by periods.period_start
