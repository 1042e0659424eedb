-- title: First response, 90th percentile
-- question: How long do the unluckiest tenth wait at least?
-- definition: Kaplan-Meier 90th percentile of the time from an issue's opening to the first
--   answer by staff; issues still unanswered count with the time they have waited so far.
-- unit: seconds
-- better: down
-- statistic: quantile
-- communities: support, product, employee
-- version: 2
-- table: messages
-- lowest: 0
-- rows: select period_start, segment, source, message_id, opened_at, wait_seconds, is_answered
--   from opened_issues order by wait_seconds desc

-- One row per period and segment: the smallest time by which at most 0.1 of the issues still wait.
select period_start, segment, t as value, n
from issue_quantiles
where clock = 'first_response' and share = 0.1
