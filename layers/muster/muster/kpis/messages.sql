-- title: Messages
-- question: How much do members write?
-- definition: Messages written by members.
-- unit: count
-- better: none
-- statistic: count
-- communities: support, product, employee, audience, sales
-- version: 1
-- table: messages
-- from_days: sum
-- lowest: 0
-- zero: all
-- rows: select period_start, 'all' as segment, count(*) as value, count(*) as n
--   from counted_messages join period_days on period_days.day = counted_messages.day
--   where not is_staff
--   group by period_start

-- One row per period.
select
    period_days.period_start,
    'all' as segment,
    sum(daily_messages.messages) as value,
    sum(daily_messages.messages) as n
from daily_messages
join period_days
    on period_days.day = daily_messages.day
group by period_days.period_start
