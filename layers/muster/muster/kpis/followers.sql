-- title: Followers
-- question: How many people have chosen to hear from us?
-- definition: Each source's last audience measurement (followers, else subscribers, else members)
--   that is not older than 35 days at the period's end, summed over its accounts; no value while
--   one account is missing; never summed over platforms.
-- unit: count
-- better: up
-- statistic: state
-- communities: audience, sales, product, support
-- version: 1
-- table: audience
-- lowest: 0

with
measured as (
    select * from main_audience
),
last_known as (  -- one row per period and account measured before the period's end
    select
        periods.period_start,
        periods.end_on,
        measured.source,
        measured.account,
        max(measured.measured_on) as measured_on
    from measured
    join periods
        on measured.measured_on < periods.end_on
    group by periods.period_start, periods.end_on, measured.source, measured.account
)
-- One row per period and source.
select
    last_known.period_start,
    last_known.source as segment,
    sum(measured.value) as value,
    count(*) as n
from last_known
join measured
    on measured.source = last_known.source
    and measured.account = last_known.account
    and measured.measured_on = last_known.measured_on
group by last_known.period_start, last_known.source
having max(date_diff('day', last_known.measured_on, last_known.end_on)) <= 35
