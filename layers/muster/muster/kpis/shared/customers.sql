-- One row per period and customer who ordered in it; new is who never ordered before it.
with
firsts as (
    select customer, min(created_at) as first_at from placed_orders group by customer
)
select distinct
    periods.period_start,
    placed_orders.customer,
    firsts.first_at >= periods.start_at as is_new
from placed_orders
join firsts on firsts.customer = placed_orders.customer
join period_days
    on period_days.day = placed_orders.day
join periods
    on periods.period_start = period_days.period_start
