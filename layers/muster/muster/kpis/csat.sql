-- title: Customer satisfaction
-- question: How many were satisfied with our answer?
-- definition: Survey responses (csat) with more than 60 % of the best score (4 and 5 of 5, 7 to
--   10 of 10), divided by all responses; one off its own scale is none.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, sales
-- starter: support, sales
-- version: 1
-- table: survey_responses
-- from_days: mean
-- lowest: 0
-- highest: 1

with
responses as (
    select * from survey_answers where survey = 'csat'
)
-- One row per period.
select
    periods.period_start,
    'all' as segment,
    avg(case when responses.score * 10 > 6 * responses.score_max then 1.0 else 0.0 end) as value,
    count(*) as n
from responses
join periods
    on responses.created_at >= periods.start_at and responses.created_at < periods.end_at
group by periods.period_start
