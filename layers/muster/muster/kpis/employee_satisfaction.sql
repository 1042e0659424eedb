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

-- One row per period.
select period_start, 'all' as segment, value, n
from satisfaction
where survey = 'employee'
