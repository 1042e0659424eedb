-- title: Employee satisfaction
-- question: Are our own people content?
-- definition: Mean of score divided by best possible score, over responses to the survey
--   'employee'.
-- unit: ratio
-- better: up
-- statistic: mean
-- communities: employee
-- version: 1
-- table: survey_responses
-- lowest: 0
-- highest: 1

with
responses as (  -- an answer outside its own scale is none
    select *
    from survey_responses
    where survey = 'employee' and score_max > 0 and score >= 0 and score <= score_max
)
-- One row per period.
select
    periods.period_start,
    'all' as segment,
    avg(responses.score / responses.score_max) as value,
    count(*) as n
from responses
join periods
    on responses.created_at >= periods.start_at and responses.created_at < periods.end_at
group by periods.period_start
