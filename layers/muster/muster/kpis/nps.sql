-- title: Net promoter score
-- question: Would they recommend us?
-- definition: Share of promoters (9 or 10 of 10) minus share of detractors (0 to 6 of 10), in
--   points from -100 to 100 (survey nps); a response off its own scale is none.
-- unit: score
-- better: up
-- statistic: ratio
-- communities: support, product, audience, sales
-- version: 1
-- table: survey_responses
-- from_days: mean
-- lowest: -100
-- highest: 100

with
responses as (
    select * from survey_answers where survey = 'nps'
)
-- One row per period.
select
    periods.period_start,
    'all' as segment,
    100.0 * avg(
        case
            when responses.score * 10 >= 9 * responses.score_max then 1.0
            when responses.score * 10 <= 6 * responses.score_max then -1.0
            else 0.0
        end
    ) as value,
    count(*) as n
from responses
join periods
    on responses.created_at >= periods.start_at and responses.created_at < periods.end_at
group by periods.period_start
