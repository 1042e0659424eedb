-- title: Product satisfaction
-- question: Are people content with the product?
-- definition: Mean of score divided by best possible score, over responses to the survey 'product'.
-- unit: ratio
-- better: up
-- statistic: mean
-- communities: product, sales
-- version: 1
-- table: survey_responses
-- from_days: mean
-- lowest: 0
-- highest: 1

-- One row per period.
select period_start, 'all' as segment, value, n
from satisfaction
where survey = 'product'
