-- One row per local day and source: members' messages, those that were scored, with their sentiment
-- summed, and those that name a brand term.
select
    day,
    source,
    count(*) as messages,
    count(sentiment) as scored,
    sum(sentiment) as sentiment,
    count(case when sentiment >= 0.05 then 1 end) as positive,
    count(case when sentiment <= -0.05 then 1 end) as negative,
    count(case when regexp_matches(naming_text, $brand_terms) then 1 end) as mentions
from counted_messages
where not is_staff
group by day, source
