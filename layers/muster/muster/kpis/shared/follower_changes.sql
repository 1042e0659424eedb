-- One row per period, source and account measured before the period's end: its followers at the
-- period's start (measured at most 35 days before), and the change less suspected bots since.
with
around as (  -- the account's last measurement before and in the period
    select
        periods.period_start,
        main_audience.source,
        main_audience.account,
        max(case when main_audience.measured_on < periods.period_start
            then main_audience.measured_on end) as before_on,
        max(case when main_audience.measured_on >= periods.period_start
            then main_audience.measured_on end) as last_on
    from main_audience
    join periods
        on main_audience.measured_on < periods.end_on
    group by periods.period_start, main_audience.source, main_audience.account
)
select
    around.period_start,
    around.source,
    around.account,
    before.measured_on as before_on,
    before.value as before_value,
    before.suspected_bots as before_suspected,
    last_one.measured_on as last_on,
    last_one.value as last_value,
    last_one.suspected_bots as last_suspected,
    (last_one.value - coalesce(last_one.suspected_bots, 0))
        - (before.value - coalesce(before.suspected_bots, 0)) as gained
from around
left join main_audience as before
    on before.source = around.source
    and before.account = around.account
    and before.measured_on = around.before_on
    and date_diff('day', before.measured_on, around.period_start) <= 35
left join main_audience as last_one
    on last_one.source = around.source
    and last_one.account = around.account
    and last_one.measured_on = around.last_on
