-- One row per period: staff's messages in issues, and those of the busiest person (kept by period).
with
answered as (
    select period_days.period_start, thread_answers.person, sum(thread_answers.answers) as answers
    from thread_answers
    join period_days
        on period_days.day = thread_answers.day
    group by period_days.period_start, thread_answers.person
)
select period_start, max(answers) as busiest, sum(answers) as answers
from answered
group by period_start
