-- One row per answer to a survey that lies on its own scale and was not taken back.
select *
from survey_responses
where score_max > 0
    and score >= 0
    and score <= score_max
    and (deleted_at is null or deleted_at >= $as_of)
