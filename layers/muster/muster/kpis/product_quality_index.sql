-- title: Product quality index
-- question: How good is the product, all evidence together?
-- definition: 0.5 x product satisfaction + 0.3 x mean rating (as a share of the best) + 0.2 x (1 -
--   refund rate), or as quality_weights say; the parts are its segments. No value while a part has
--   none.
-- unit: score
-- better: up
-- statistic: mean
-- communities: product, sales
-- version: 2
-- table: survey_responses
-- lowest: 0
-- highest: 1

with
answered as (
    select period_start, value as part, n from satisfaction where survey = 'product'
),
rated as (
    select
        periods.period_start,
        avg(counted_reviews.rating / counted_reviews.rating_max) as part,
        count(*) as n
    from counted_reviews
    join periods
        on counted_reviews.created_at >= periods.start_at
        and counted_reviews.created_at < periods.end_at
    group by periods.period_start
),
kept as (
    select
        period_days.period_start,
        avg(case when placed_orders.refunded_at is null then 1.0 else 0.0 end) as part,
        count(*) as n
    from placed_orders
    join period_days
        on period_days.day = placed_orders.day
    group by period_days.period_start
)
-- One row per period and part; n of the whole is that of its thinnest part.
select period_start, 'satisfaction' as segment, part as value, n from answered
union all
select period_start, 'rating', part, n from rated
union all
select period_start, 'not refunded', part, n from kept
union all
select
    answered.period_start,
    'all',
    $satisfaction_weight * answered.part + $rating_weight * rated.part + $refund_weight * kept.part,
    least(answered.n, rated.n, kept.n)
from answered
join rated
    on rated.period_start = answered.period_start
join kept
    on kept.period_start = answered.period_start
