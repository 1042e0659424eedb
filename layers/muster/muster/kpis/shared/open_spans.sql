-- One row per kind, local day from which and local day on which issues stopped standing open: how
-- many there are, and when the oldest was opened. Kinds: waiting (for a first answer or a
-- resolution) and open (neither resolved nor escalated). Those that stand open
-- yet have a far second day, those from before all periods a far first one.
with
spans as (
    select
        'waiting' as kind,
        opened_at,
        opened_at as from_at,
        least(
            coalesce(first_response_at, resolved_at), coalesce(resolved_at, first_response_at)
        ) as to_at
    from issues
    where issue_kind = 'inbound'
    union all
    select
        'open',
        opened_at,
        issue_at,
        least(coalesce(resolved_at, escalated_at), coalesce(escalated_at, resolved_at))
    from issues
)
select
    spans.kind,
    coalesce(first_days.day, date '0001-01-01') as from_day,
    coalesce(last_days.day, date '9999-12-31') as to_day,
    count(*) as issues,
    min(spans.opened_at) as oldest_at
from spans
left join day_spans as first_days
    on first_days.utc_day = cast(spans.from_at as date)
    and spans.from_at >= first_days.start_at
    and spans.from_at < first_days.end_at
left join day_spans as last_days
    on last_days.utc_day = cast(spans.to_at as date)
    and spans.to_at >= last_days.start_at
    and spans.to_at < last_days.end_at
where spans.to_at is null or last_days.day is not null
group by spans.kind, first_days.day, last_days.day
