-- One row per period and channel in which money was spent on ads: the money, in the community's
-- currency, and what the channel's visitors did on our site. Days are those of each account's zone.
with
spent as (
    select periods.period_start, ad_channels.channel, sum(ad_spend.spend) as spend
    from ad_spend
    join ad_channels
        on ad_channels.source = ad_spend.source
    join periods
        on ad_spend.date >= periods.period_start and ad_spend.date < periods.end_on
    where ad_spend.segment = 'all' and ad_spend.currency = $currency
    group by periods.period_start, ad_channels.channel
),
done as (
    select
        periods.period_start,
        site_traffic.channel,
        sum(site_traffic.visitors) as visitors,
        sum(site_traffic.leads) as leads,
        sum(site_traffic.add_to_carts) as add_to_carts,
        sum(site_traffic.purchases) as purchases
    from site_traffic
    join periods
        on site_traffic.date >= periods.period_start and site_traffic.date < periods.end_on
    where site_traffic.segment = 'all'
    group by periods.period_start, site_traffic.channel
)
select
    spent.period_start,
    spent.channel,
    cast(spent.spend as double) as spend,
    done.visitors,
    done.leads,
    done.add_to_carts,
    done.purchases
from spent
join done
    on done.period_start = spent.period_start and done.channel = spent.channel
where spent.spend > 0
