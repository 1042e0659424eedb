-- One row per clock, segment and period, whose waits are put in order together: its number, which
-- leaves 13 digits for a time.
with
kinds as (
    select 1 as kind, 'first_response' as clock, 'all' as segment
    union all
    select 2, 'first_response', 'inbound'
    union all
    select 3, 'first_response', 'outreach'
    union all
    select 4, 'first_response_business', 'all'
    union all
    select 5, 'first_response_business', 'inbound'
    union all
    select 6, 'first_response_business', 'outreach'
    union all
    select 7, 'resolution', 'all'
    union all
    select 8, 'delivery', 'all'
)
select
    (kinds.kind * 65536 + date_diff('day', date '1970-01-01', periods.period_start))
        * 10000000000000 as queue,
    kinds.clock,
    kinds.segment,
    periods.period_start
from kinds
cross join periods
