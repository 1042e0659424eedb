-- title: New members who stay
-- question: Do new members come back?
-- definition: Members new in the period before who wrote in this one, divided by the members new in
--   the period before.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee, audience, sales
-- starter: product, audience
-- version: 1
-- table: messages
-- lowest: 0
-- highest: 1
-- rows: select periods.period_start, known_members.person, known_members.first_at,
--   case when writers.person is not null then 1.0 else 0.0 end as contributes
--   from known_members join period_days on period_days.day = known_members.first_day
--   join periods as before on before.period_start = period_days.period_start
--   join periods on periods.period_start = before.end_on
--   left join writers on writers.period_start = periods.period_start
--   and writers.person = known_members.person

select
    period_newcomers.period_start,
    'all' as segment,
    cast(period_newcomers.stayed as double) / period_newcomers.members as value,
    period_newcomers.members as n
from period_newcomers
join heard_periods
    on heard_periods.period_start = period_newcomers.period_start
