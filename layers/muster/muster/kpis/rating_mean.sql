-- title: Rating
-- question: How many stars are we given?
-- definition: Mean of the reviews' ratings, each on a scale of 5; one off its own scale is none.
-- unit: score
-- better: up
-- statistic: mean
-- communities: product, sales, audience
-- starter: product, sales
-- version: 2
-- table: reviews
-- from_days: mean
-- lowest: 0
-- highest: 5

-- One row per period.
select
    periods.period_start,
    'all' as segment,
    avg(counted_reviews.rating / counted_reviews.rating_max * 5) as value,
    count(*) as n
from counted_reviews
join periods
    on counted_reviews.created_at >= periods.start_at
    and counted_reviews.created_at < periods.end_at
group by periods.period_start
