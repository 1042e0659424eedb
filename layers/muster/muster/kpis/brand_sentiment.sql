-- title: Mood about the brand
-- question: In what mood do members speak of us?
-- definition: Mean sentiment (-1 to 1) of members' messages that name a brand term as a whole word,
--   by term; n says how many were scored.
-- unit: score
-- better: up
-- statistic: mean
-- communities: product, audience, sales, support
-- starter: audience
-- version: 1
-- table: messages
-- from_days: mean
-- lowest: -1
-- highest: 1
-- needs: brand_terms

with
named as (
    select * from term_messages where subject = 'brand'
)
-- One row per period and term.
select
    periods.period_start,
    named.term as segment,
    avg(named.sentiment) as value,
    count(*) as n
from named
join periods
    on named.created_at >= periods.start_at and named.created_at < periods.end_at
group by periods.period_start, named.term
