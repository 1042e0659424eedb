-- One row per survey and period: the mean of score divided by best possible score.
select
    survey_answers.survey,
    periods.period_start,
    avg(survey_answers.score / survey_answers.score_max) as value,
    count(*) as n
from survey_answers
join periods
    on survey_answers.created_at >= periods.start_at
    and survey_answers.created_at < periods.end_at
group by survey_answers.survey, periods.period_start
