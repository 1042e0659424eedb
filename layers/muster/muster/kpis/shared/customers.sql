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
join periods
    on placed_orders.created_at >= periods.start_at and placed_orders.created_at < periods.end_at
