-- One row per order placed before the run's as_of: its local day, its customer as a person, and
-- nothing of what happened to it later. A shop that never told a delivery tells nothing of waiting for one.
with
placed as (
    select
        orders.source,
        orders.order_id,
        coalesce(
            'person ' || members.person_id,
            'account ' || orders.source || ' ' || orders.customer_id
        ) as customer,
        orders.created_at,
        day_spans.day,
        orders.currency,
        cast(orders.revenue as double) as revenue,
        cast(orders.cost as double) as cost,
        orders.promised_at,
        case when orders.delivered_at < $as_of then orders.delivered_at end as delivered_at,
        case when orders.refunded_at < $as_of then orders.refunded_at end as refunded_at
    from orders
    left join members
        on members.source = orders.source and members.member_id = orders.customer_id
    left join day_spans
        on day_spans.utc_day = cast(orders.created_at as date)
        and orders.created_at >= day_spans.start_at
        and orders.created_at < day_spans.end_at
    where orders.created_at < $as_of
)
select *, count(delivered_at) over (partition by source) > 0 as is_delivery_told
from placed
