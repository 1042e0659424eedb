-- title: Response rate
-- question: How many of those who come to us do we answer in time?
-- definition: Inbound issues answered by staff within the answer window (default 24 h), divided
--   by those whose window has passed.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee
-- starter: support, product, employee
-- goal: Answer within a day | Be the place people turn to for help | at_least 90%
-- version: 2
-- table: messages
-- from_days: mean
-- lowest: 0
-- highest: 1
-- settles: answer

-- One row per period.
select
    period_start,
    'all' as segment,
    avg(case when wait_seconds <= answer_window and is_answered then 1.0 else 0.0 end) as value,
    count(*) as n
from opened_issues
where segment = 'inbound' and age_seconds > answer_window
group by period_start
