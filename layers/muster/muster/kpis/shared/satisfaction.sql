-- One row per survey and period: the mean of score divided by best possible score.
-- An answer outside its own scale is none.
with
answers as (
    select *
    from survey_responses
    where score_max > 0 and score >= 0 and score <= score_max
)
select
    answers.survey,
    periods.period_start,
    avg(answers.score / answers.score_max) as value,
    count(*) as n
from answers
join periods
    on answers.created_at >= periods.start_at and answers.created_at < periods.end_at
group by answers.survey, periods.period_start
