-- One row per clock, segment and period, whose waits are put in order together: its number. To sort
-- and to look up one number costs half of what three names do.
with
kinds as (
    select 11 as kind, 'first_response' as clock, 'all' as segment
    union all
    select 12, 'first_response', 'inbound'
    union all
    select 13, 'first_response', 'outreach'
    union all
    select 21, 'first_response_business', 'all'
    union all
    select 22, 'first_response_business', 'inbound'
    union all
    select 23, 'first_response_business', 'outreach'
    union all
    select 31, 'resolution', 'all'
    union all
    select 41, 'delivery', 'all'
)
select
    kinds.kind * 10000000 + date_diff('day', date '1970-01-01', periods.period_start) as queue,
    kinds.clock,
    kinds.segment,
    periods.period_start
from kinds
cross join periods
