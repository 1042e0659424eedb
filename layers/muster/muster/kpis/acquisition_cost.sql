-- title: Acquisition cost
-- question: What do we spend to win a client?
-- definition: Ad spend in the settings' currency (by the ad account's days), divided by new
--   clients; no value without spend.
-- unit: money
-- better: down
-- statistic: ratio
-- communities: sales
-- starter: sales
-- version: 1
-- table: ad_spend
-- lowest: 0

with
spent as (
    select periods.period_start, sum(cast(ad_spend.spend as double)) as spend
    from ad_spend
    join periods
        on ad_spend.date >= periods.period_start and ad_spend.date < periods.end_on
    where ad_spend.segment = 'all'
        and ad_spend.currency = $currency
        and ad_spend.date < $as_of
    group by periods.period_start
),
won as (
    select period_start, count(*) as clients from customers where is_new group by period_start
)
-- One row per period.
select
    spent.period_start,
    'all' as segment,
    spent.spend / won.clients as value,
    won.clients as n
from spent
join won
    on won.period_start = spent.period_start
where spent.spend > 0
