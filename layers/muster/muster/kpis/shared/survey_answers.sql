-- One row per answer to a survey that lies on its own scale; another is none.
select *
from survey_responses
where score_max > 0 and score >= 0 and score <= score_max
