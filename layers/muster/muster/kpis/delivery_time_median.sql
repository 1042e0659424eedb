-- title: Delivery time, median
-- question: How long does half of our customers wait for a delivery?
-- definition: Kaplan-Meier median of the time from an order to its delivery, by the order's day; an
--   order not delivered counts with the time waited so far (until its refund, if it was refunded).
--   Only shops that tell deliveries.
-- unit: seconds
-- better: down
-- statistic: quantile
-- communities: sales
-- version: 1
-- table: orders
-- lowest: 0
-- rows: select period_start, segment, source, order_id, created_at, wait_seconds, is_delivered
--   from deliveries order by wait_seconds desc

-- One row per period: the smallest time by which at most 0.5 of the orders are still on their way.
select period_start, segment, t as value, n
from delivery_quantiles
where clock = 'delivery' and share = 0.5
