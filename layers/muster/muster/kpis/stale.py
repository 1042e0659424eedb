"""Which days and periods may have other figures than at the earlier run, and whose messages count
otherwise: SQL over the tables that :mod:`muster.kpis.keeping` and ``changes`` make."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

ACCOUNTS = {
    "known_accounts": """
        select
            source, member_id, person_id, joined_at, role,
            coalesce(is_bot, false) or coalesce(role, '') = 'bot' as is_bot
        from members
    """,
    "known_listed": """
        select listed_accounts.* from listed_accounts
        semi join members
            on members.source = listed_accounts.source
            and members.member_id = listed_accounts.member_id
    """,
    "known_suspected": "select distinct source, member_id from suspected_accounts",
}
_OTHER = """
    (select {columns} from {name} {where} except select {columns} from kept_{name} {where})
    union
    (select {columns} from kept_{name} {where} except select {columns} from {name} {where})
"""
OTHER_ACCOUNTS = f"""
create or replace temp table other_accounts as
with
other as (
    select distinct source, member_id, false as is_other_role from ({
    _OTHER.format(
        name="known_accounts",
        columns="source, member_id, person_id",
        where="where person_id is not null",
    )
})
    union all
    select distinct source, member_id, true from ({
    _OTHER.format(name="known_accounts", columns="source, member_id, is_bot", where="where is_bot")
})
    union all
    select distinct source, member_id, true from ({
    _OTHER.format(name="known_listed", columns="*", where="")
})
    union all
    select source, member_id, true from ({
    _OTHER.format(name="known_suspected", columns="*", where="")
})
)
select source, member_id, bool_or(is_other_role) as is_other_role
from other
group by source, member_id
"""
# Days on which they joined or wrote: who is new, and how many wrote, may differ there.
JOINED = f"""
insert into stale_days
with
other as (
    select source, member_id from ({_OTHER.format(name="known_accounts", columns="*", where="")})
    union
    select source, member_id from other_accounts
),
joined as (
    select source, member_id, joined_at from known_accounts
    union
    select source, member_id, joined_at from kept_known_accounts
)
select 'members', day_spans.day
from joined
semi join other on other.source = joined.source and other.member_id = joined.member_id
join day_spans
    on day_spans.utc_day = cast(joined.joined_at as date)
    and joined.joined_at >= day_spans.start_at
    and joined.joined_at < day_spans.end_at
union
select 'members', daily_authors.day
from daily_authors
semi join other_accounts
    on other_accounts.source = daily_authors.source
    and other_accounts.member_id = daily_authors.author_id
"""
# By day opened: how long the slowest event took, and how long at the earlier run the newest issue
# without one had waited, in seconds.
WAITING_DAYS = """
create or replace temp table waiting_days as
with
clocks as (
    select
        calendar,
        max(
            seconds_before
                + case when is_working
                    then date_diff('millisecond', start_at, $before) / 1000.0 else 0 end
        ) as shown
    from work_pieces
    where day = cast($before as date) and start_at <= $before and end_at > $before
    group by calendar
)
select
    conversations.opened_day as day,
    max(date_diff('millisecond', opened_at, first_response_at) / 1000.0) as longest_answer,
    max(first_response_clock - opened_clock) as longest_business,
    max(date_diff('millisecond', opened_at, resolved_at) / 1000.0) as longest_resolution,
    min(
        case when first_response_at is null and resolved_at is null
            then date_diff('millisecond', opened_at, $before) / 1000.0 end
    ) as shortest_wait,
    min(
        case when first_response_at is null and resolved_at is null
            then clocks.shown - opened_clock end
    ) as shortest_business,
    min(
        case when resolved_at is null and escalated_at is null
            then date_diff('millisecond', opened_at, $before) / 1000.0 end
    ) as shortest_open
from conversations
left join clocks on clocks.calendar = conversations.calendar
where issue_kind is not null
group by conversations.opened_day
"""
_STALE_PERIODS = """
create or replace temp table stale_periods as
with
own as (
    select period_start, end_on from every_period where grain = $grain
),
touched as (
    select distinct own.period_start, own.end_on
    from own
    join stale_days on stale_days.day >= own.period_start and stale_days.day < own.end_on
    where list_contains($reasons, stale_days.reason)
)
select $grain as grain, period_start from touched
union
select $grain, own.period_start
from own
join touched on touched.end_on = own.period_start
where $looks_back
union
select $grain, own.period_start
from own
join waiting_days
    on waiting_days.day >= own.period_start and waiting_days.day < own.end_on
where list_contains($reasons, 'conversations')
group by own.period_start
having max(waiting_days.longest_answer) >= min(waiting_days.shortest_wait)
    or max(waiting_days.longest_business) >= min(waiting_days.shortest_business)
    or max(waiting_days.longest_resolution) >= min(waiting_days.shortest_open)
"""


def periods(
    connection: duckdb.DuckDBPyConnection, grain: str, reasons: Iterable[str], *, looks_back: bool
) -> None:
    """``stale_periods``: those with a stale day for one of these reasons, the ones after them for a
    step that ``looks_back`` at the period before, and, where conversations are a reason, those in
    which an issue that still waits had at the earlier run waited no longer than the slowest event
    took."""
    asked = {"grain": grain, "reasons": sorted({"time", *reasons}), "looks_back": looks_back}
    connection.execute(_STALE_PERIODS, asked)
