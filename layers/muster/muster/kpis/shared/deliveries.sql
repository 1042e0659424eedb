-- One row per order and the period in which it was placed: how long its customer waited, until
-- the delivery, else until we stop knowing (the refund of an order never delivered, as_of).
with
ended as (
    select *, coalesce(delivered_at, refunded_at, $as_of) as wait_ended_at
    from placed_orders
    where is_delivery_told
)
select
    period_days.period_start,
    'all' as segment,
    ended.source,
    ended.order_id,
    ended.created_at,
    date_diff('millisecond', ended.created_at, ended.wait_ended_at) / 1000.0 as wait_seconds,
    ended.delivered_at is not null as is_delivered
from ended
join period_days
    on period_days.day = ended.day
where ended.wait_ended_at >= ended.created_at
