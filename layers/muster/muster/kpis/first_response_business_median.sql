-- title: First response in business time, median
-- question: How much of our working time does half of the people wait?
-- definition: Kaplan-Meier median of the business time (seconds inside the working hours) from an
--   issue's opening to the first answer by staff; without business hours there is no value.
-- unit: seconds
-- better: down
-- statistic: quantile
-- communities: support, product, employee
-- version: 2
-- table: messages
-- lowest: 0
-- rows: select period_start, segment, source, message_id, opened_at, wait_business_seconds,
--   is_answered from opened_issues where wait_business_seconds is not null
--   order by wait_business_seconds desc

-- One row per period and segment: the smallest time by which at most 0.5 of the issues still wait.
select period_start, segment, t as value, n
from issue_quantiles
where clock = 'first_response_business' and share = 0.5
