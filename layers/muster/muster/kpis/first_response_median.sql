-- title: First response, median
-- question: How long does half of the people wait for our first answer?
-- definition: Kaplan-Meier median of the time from an issue's opening to the first answer by
--   staff; issues still unanswered count with the time they have waited so far.
-- unit: seconds
-- better: down
-- statistic: quantile
-- communities: support, product, employee
-- starter: support, product
-- version: 2
-- table: messages
-- lowest: 0
-- rows: select period_start, segment, source, message_id, opened_at, wait_seconds, is_answered
--   from opened_issues order by wait_seconds desc

-- One row per period and segment: the smallest time by which at most 0.5 of the issues still wait.
select period_start, segment, t as value, n
from issue_quantiles
where clock = 'first_response' and share = 0.5
