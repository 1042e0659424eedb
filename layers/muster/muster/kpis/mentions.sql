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
-- lowest: 0
-- zero: source
-- needs: brand_terms
-- rows: select period_start, source as segment, count(*) as value, count(*) as n
--   from counted_messages join period_days on period_days.day = counted_messages.day
--   where not is_staff and regexp_matches(naming_text, $brand_terms)
--   group by period_start, source

-- One row per period and source.
select
    period_days.period_start,
    daily_messages.source as segment,
    sum(daily_messages.mentions) as value,
    sum(daily_messages.mentions) as n
from daily_messages
join period_days
    on period_days.day = daily_messages.day
where daily_messages.mentions > 0
group by period_days.period_start, daily_messages.source
