-- title: Mentions
-- question: How often is our name spoken?
-- definition: Members' messages that name a brand term as a whole word, by source.
-- unit: count
-- better: none
-- statistic: count
-- communities: product, audience, sales, support
-- starter: audience
-- version: 1
-- table: messages
-- from_days: sum
-- zero: source
-- needs: brand_terms

with
written as (
    select * from counted_messages where not is_staff and regexp_matches(naming_text, $brand_terms)
)
-- One row per period and source.
select
    period_days.period_start,
    written.source as segment,
    count(*) as value,
    count(*) as n
from written
join period_days
    on period_days.day = written.day
group by period_days.period_start, written.source
