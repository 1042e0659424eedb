-- title: Cost of a subscriber
-- question: What does it cost to win one of the people we are looking for?
-- definition: What campaigns that report follows in the period have spent in it, divided by their
--   follows, in the targeted segments if some are configured. Days are those of the ad account's
--   time zone; money in other currencies is left out.
-- unit: money
-- better: down
-- statistic: ratio
-- communities: audience, sales
-- version: 1
-- table: ad_spend
-- lowest: 0

with
asked as (  -- without targeted segments it is the whole audience, 'all'
    select min(case when segment = 'all' then 0 else 1 end) = 1 as is_by_segment
    from targeted_segments
),
dated as (
    select
        periods.period_start,
        ad_spend.source,
        ad_spend.campaign_id,
        case when ad_spend.segment = 'all' then ad_spend.spend end as spend,
        case when targeted_segments.segment is not null then ad_spend.follows end as follows,
        -- A campaign that breaks its follows down into other segments only has won none of these.
        case
            when targeted_segments.segment is not null
                or (asked.is_by_segment and ad_spend.segment <> 'all') then ad_spend.follows
        end as reported
    from ad_spend
    cross join asked
    join periods
        on ad_spend.date >= periods.period_start and ad_spend.date < periods.end_on
    left join targeted_segments
        on targeted_segments.segment = ad_spend.segment
    where ad_spend.currency = $currency
),
campaigns as (
    select period_start, source, campaign_id, sum(spend) as spend, sum(follows) as follows
    from dated
    group by period_start, source, campaign_id
    having count(reported) > 0
)
-- One row per period.
select
    period_start,
    'all' as segment,
    cast(sum(spend) as double) / nullif(sum(follows), 0) as value,
    sum(follows) as n
from campaigns
group by period_start
