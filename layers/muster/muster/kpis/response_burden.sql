-- title: Response burden
-- question: Does the answering rest on one person?
-- definition: Of staff's messages in issues, the share that the busiest person of staff wrote.
-- unit: ratio
-- better: down
-- statistic: ratio
-- communities: support, product, employee
-- version: 1
-- table: messages
-- lowest: 0
-- highest: 1

with
answered as (
    select period_days.period_start, daily_answers.person, sum(daily_answers.answers) as answers
    from daily_answers
    join period_days
        on period_days.day = daily_answers.day
    group by period_days.period_start, daily_answers.person
)
-- One row per period.
select
    period_start,
    'all' as segment,
    cast(max(answers) as double) / sum(answers) as value,
    sum(answers) as n
from answered
group by period_start
