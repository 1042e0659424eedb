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
-- zero: source
-- needs: brand_terms

with
written as (
    select * from human_messages where role = 'member' and regexp_matches(text, $brand_terms)
)
-- One row per period and source.
select
    periods.period_start,
    written.source as segment,
    count(*) as value,
    count(*) as n
from written
join periods
    on written.created_at >= periods.start_at and written.created_at < periods.end_at
group by periods.period_start, written.source
