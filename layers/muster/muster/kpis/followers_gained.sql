-- title: Followers gained
-- question: Are we winning people over?
-- definition: Change of followers less suspected bots, from the last measurement before the
--   period (at most 35 days before it) to the last in it, summed over a source's accounts; no
--   value while one account is missing.
-- unit: count
-- better: up
-- statistic: state
-- communities: audience, sales, product, support
-- version: 1
-- table: audience

with
measured as (
    select * from main_audience
),
around as (  -- one row per period and account: its last measurement before and in the period
    select
        periods.period_start,
        measured.source,
        measured.account,
        max(case when measured.measured_on < periods.period_start
            then measured.measured_on end) as before_on,
        max(case when measured.measured_on >= periods.period_start
            then measured.measured_on end) as last_on
    from measured
    join periods
        on measured.measured_on < periods.end_on
    group by periods.period_start, measured.source, measured.account
),
changes as (
    select
        around.period_start,
        around.source,
        (last_one.value - coalesce(last_one.suspected_bots, 0))
            - (before.value - coalesce(before.suspected_bots, 0)) as gained
    from around
    left join measured as before
        on before.source = around.source
        and before.account = around.account
        and before.measured_on = around.before_on
        and date_diff('day', before.measured_on, around.period_start) <= 35
    left join measured as last_one
        on last_one.source = around.source
        and last_one.account = around.account
        and last_one.measured_on = around.last_on
)
-- One row per period and source.
select period_start, source as segment, sum(gained) as value, count(*) as n
from changes
group by period_start, source
having count(gained) = count(*)
