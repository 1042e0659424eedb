-- One row per period and social channel: what visitors from there did on our site. A channel that
-- once sent somebody is at 0 in a period that the site's figures cover.
with
social as (
    select *
    from site_traffic
    where channel in ('organic_social', 'paid_social') and segment = 'all'
),
found as (
    select
        periods.period_start,
        social.channel,
        sum(social.leads) as leads,
        sum(social.purchases) as purchases,
        sum(case when social.currency = $currency then social.revenue end) as revenue,
        count(case
            when social.currency = $currency and social.revenue is not null
                then 1
        end) as days_with_revenue
    from social
    join periods
        on social.date >= periods.period_start and social.date < periods.end_on
    group by periods.period_start, social.channel
),
silent as (
    select covered_periods.period_start, channels.channel
    from covered_periods
    cross join (select distinct channel from social) as channels
    left join found
        on found.period_start = covered_periods.period_start
        and found.channel = channels.channel
    where covered_periods.table_name = 'site_traffic' and found.channel is null
)
select period_start, channel, leads, purchases, revenue, days_with_revenue from found
union all
select period_start, channel, 0, 0, null, 0 from silent
