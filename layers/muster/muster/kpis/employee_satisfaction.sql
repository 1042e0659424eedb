-- title: Employee satisfaction
-- question: Are our own people content?
-- definition: Mean of score divided by best possible score, over responses to the survey
--   'employee'.
-- unit: ratio
-- better: up
-- statistic: mean
-- communities: employee
-- starter: employee
-- goal: Our people are content | Be a good place to work | at_least 75%
-- version: 1
-- table: survey_responses
-- from_days: mean
-- lowest: 0
-- highest: 1

-- One row per period.
select period_start, 'all' as segment, value, n
from satisfaction
where survey = 'employee'
