-- One row per source and local day on which its audience is known: each account's last measurement
-- up to that day, if none is older than 35 days, summed over its accounts.
with
days as (
    select period_start as day, end_on from every_period where grain = 'day'
),
firsts as (
    select source, account, min(measured_on) as first_on
    from main_audience
    group by source, account
),
last_known as (  -- measured_on is null where an account's last measurement is too old
    select
        days.day,
        firsts.source,
        firsts.account,
        max(main_audience.measured_on) as measured_on
    from days
    join firsts
        on firsts.first_on < days.end_on
    left join main_audience
        on main_audience.source = firsts.source
        and main_audience.account = firsts.account
        and main_audience.measured_on < days.end_on
        and date_diff('day', main_audience.measured_on, days.end_on) <= 35
    group by days.day, firsts.source, firsts.account
)
select
    last_known.day,
    last_known.source,
    sum(main_audience.value) as followers,
    count(*) as accounts
from last_known
left join main_audience
    on main_audience.source = last_known.source
    and main_audience.account = last_known.account
    and main_audience.measured_on = last_known.measured_on
group by last_known.day, last_known.source
having count(main_audience.value) = count(*)
