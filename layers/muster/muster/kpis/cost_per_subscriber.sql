-- title: Cost of a subscriber
-- question: What does it cost to win one of the people we are looking for?
-- definition: What campaigns that report follows have spent, divided by their follows, in the
--   targeted segments if some are configured. Days are those of the ad account's time zone; money
--   in other currencies is left out.
-- unit: money
-- better: down
-- statistic: ratio
-- communities: audience, sales
-- version: 1
-- table: ad_spend
-- lowest: 0

with
targets as (
    select segment, segment as breakdown from targeted_segments
    union all
    select 'all', null where (select count(*) from targeted_segments) = 0
),
dated as (
    select periods.period_start, ad_spend.*
    from ad_spend
    join periods
        on ad_spend.date >= periods.period_start and ad_spend.date < periods.end_on
    where ad_spend.currency = $currency
),
-- One row per period and campaign: all that it spent, and its follows among the targeted. A
-- campaign that breaks its follows down into other segments only has won none of them.
campaigns as (
    select
        dated.period_start,
        dated.source,
        dated.campaign_id,
        sum(case when dated.segment = 'all' then dated.spend end) as spend,
        sum(case when targets.segment is not null then dated.follows end) as follows,
        count(case
            when targets.segment is not null or dated.segment <> 'all' then dated.follows
        end) as reports
    from dated
    left join targets
        on targets.segment = dated.segment
    group by dated.period_start, dated.source, dated.campaign_id
)
-- One row per period.
select
    period_start,
    'all' as segment,
    cast(sum(spend) as double) / nullif(sum(follows), 0) as value,
    sum(follows) as n
from campaigns
where reports > 0
group by period_start
