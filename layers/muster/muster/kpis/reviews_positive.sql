-- title: Good reviews
-- question: How many were pleased and said so?
-- definition: Reviews with at least 4 of 5 stars, or as much of another scale; one off its own
--   scale is none.
-- unit: count
-- better: up
-- statistic: count
-- communities: product, sales, audience
-- version: 2
-- table: reviews
-- from_days: sum
-- lowest: 0
-- zero: all

with
wanted as (
    select * from counted_reviews where rating * 5 >= 4 * rating_max
)
-- One row per period.
select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
from wanted
join periods
    on wanted.created_at >= periods.start_at and wanted.created_at < periods.end_at
group by periods.period_start
