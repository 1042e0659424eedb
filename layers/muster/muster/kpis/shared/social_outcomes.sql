-- One row per period and social channel: what visitors from there did on our site. A channel that
-- once sent somebody is at 0 in a period that the site's figures cover.
with
social as (
    select site_traffic.*, visiting_sources.source is not null as is_visit
    from site_traffic
    left join visiting_sources
        on visiting_sources.source = site_traffic.source
    where site_traffic.channel in ('organic_social', 'paid_social')
        and site_traffic.segment = 'all'
),
found as (
    select
        periods.period_start,
        social.channel,
        sum(social.leads) as leads,
        sum(case when social.is_visit then social.purchases end) as purchases,
        sum(case when social.currency = $currency then social.revenue end) as revenue,
        count(distinct case
            when social.currency = $currency and social.revenue is not null
                then social.date
        end) as days_with_revenue
    from social
    join periods
        on social.date >= periods.period_start and social.date < periods.end_on
    group by periods.period_start, social.channel
),
silent as (
    select
        covered_periods.period_start,
        channels.channel,
        case when visited_channels.channel is not null then 0 end as purchases
    from covered_periods
    cross join (select distinct channel from social) as channels
    left join visited_channels
        on visited_channels.period_start = covered_periods.period_start
        and visited_channels.channel = channels.channel
    left join found
        on found.period_start = covered_periods.period_start
        and found.channel = channels.channel
    where covered_periods.table_name = 'site_traffic' and found.channel is null
)
select
    found.period_start,
    found.channel,
    found.leads,
    -- Leads alone were told, by a source that counts no visits: who counts them saw no purchase.
    coalesce(
        found.purchases, case when visited_channels.channel is not null then 0 end
    ) as purchases,
    found.revenue,
    found.days_with_revenue
from found
left join visited_channels
    on visited_channels.period_start = found.period_start
    and visited_channels.channel = found.channel
union all
select period_start, channel, 0, purchases, null, 0 from silent
