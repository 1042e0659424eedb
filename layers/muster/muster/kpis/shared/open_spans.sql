-- One row per kind, local day on which issues were opened, day from which and day on which they
-- stopped standing open: how many there are, and when the oldest was opened. Kinds: waiting (for a
-- first answer or a resolution) and open (neither resolved nor escalated). Those that stand open yet
-- have a far second day, those from before all periods a far first one (kept by opened_day).
with
spans as (
    select
        'waiting' as kind,
        opened_at,
        opened_day,
        opened_day as from_day,
        least(
            coalesce(first_response_at, resolved_at), coalesce(resolved_at, first_response_at)
        ) as to_at,
        least(
            coalesce(first_response_day, resolved_day), coalesce(resolved_day, first_response_day)
        ) as to_day
    from conversations
    where issue_kind = 'inbound'
    union all
    select
        'open',
        opened_at,
        opened_day,
        case when issue_kind = 'inbound' then opened_day else first_response_day end,
        least(coalesce(resolved_at, escalated_at), coalesce(escalated_at, resolved_at)),
        least(coalesce(resolved_day, escalated_day), coalesce(escalated_day, resolved_day))
    from conversations
    where issue_kind is not null
)
select
    kind,
    opened_day,
    coalesce(from_day, date '0001-01-01') as from_day,
    coalesce(to_day, date '9999-12-31') as to_day,
    count(*) as issues,
    min(opened_at) as oldest_at
from spans
where to_at is null or to_day is not null
group by kind, opened_day, from_day, to_day
