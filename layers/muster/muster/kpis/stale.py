"""Which days and periods may have other figures than at the earlier run, and whose messages count
otherwise: SQL over the tables that :mod:`muster.kpis.keeping` and ``changes`` make."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb

KNOWN_ACCOUNTS = """
-- What is known of each account that its figures rest on (kept by account).
select
    source, member_id, person_id, joined_at, role,
    coalesce(is_bot, false) or coalesce(role, '') = 'bot' as is_bot,
    cast(date_trunc('year', joined_at) as date) as joined_year
from members
"""
# Of whom anything may be said otherwise: a row says since when it is seen as it is, but for the
# person, whom `muster people` writes into it.
SEEN_ACCOUNTS = """
create or replace temp table seen_accounts as
with
linked as (
    select source, member_id, person_id from members where person_id is not null
),
linked_before as (
    select source, member_id, person_id from kept_known_accounts where person_id is not null
)
select source, member_id from members where observed_at >= $watermark
union
select source, member_id from (select * from linked except select * from linked_before)
union
select source, member_id from (select * from linked_before except select * from linked)
"""
SEEN_MEMBERS = """
create or replace temp view seen_members as
select members.*
from members
semi join seen_accounts
    on seen_accounts.source = members.source and seen_accounts.member_id = members.member_id
"""
ACCOUNTS = {
    "known_listed": """
        select listed_accounts.* from listed_accounts
        semi join members
            on members.source = listed_accounts.source
            and members.member_id = listed_accounts.member_id
    """,
    "known_suspected": "select distinct source, member_id from suspected_accounts",
}
OTHER = """
    (select {columns} from {name} except select {columns} from kept_{name})
    union all
    (select {columns} from kept_{name} except select {columns} from {name})
"""
OTHER_ACCOUNTS = f"""
create or replace temp table other_accounts as
with
other as (
    select source, member_id, false as is_other_role
    from differing_known_accounts
    where person_id is not null
    group by source, member_id, person_id
    having count(*) = 1
    union all
    select source, member_id, true
    from differing_known_accounts
    where is_bot
    group by source, member_id
    having count(*) = 1
    union all
    select distinct source, member_id, true from ({OTHER.format(name="known_listed", columns="*")})
    union all
    select source, member_id, true from ({OTHER.format(name="known_suspected", columns="*")})
)
select source, member_id, bool_or(is_other_role) as is_other_role
from other
group by source, member_id
"""
# Days on which they joined or wrote: who is new, and how many wrote, may differ there.
JOINED = """
insert into stale_days
with
other as (
    select source, member_id from differing_known_accounts
    union
    select source, member_id from other_accounts
),
joined as (
    select joined_at from known_accounts semi join other using (source, member_id)
    union
    select joined_at from kept_known_accounts semi join other using (source, member_id)
)
select 'members', day_spans.day
from joined
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
# What is there more often in one of the two runs: each row once.
DIFFERING = """
create or replace temp table {differing} as
select * exclude (side)
from (
    select *, 1 as side from kept_touched
    union all by name
    select *, -1 as side from fresh_touched
)
group by all
having sum(side) <> 0
"""
# The days on which a conversation that differs was opened, and all that were opened on them.
TOUCHED_OPENINGS = """
create or replace temp table touched_openings as
select distinct opened_day from differing_conversations where opened_day is not null
"""
# A local day may begin in the month before, or end in the one after.
OPENING_MONTHS = """
select distinct strftime(touched_openings.opened_day + days.beside, '%Y-%m')
from touched_openings
cross join (values (-1), (0), (1)) as days (beside)
"""
TOUCHED_CONVERSATIONS = """
create or replace temp view touched_conversations as
select rows.*
from ({rows}) as rows
semi join touched_openings on touched_openings.opened_day = rows.opened_day
"""
# By day opened and clock: how long, in seconds, the newest issue that still waits had waited at the
# earlier run.
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
),
waited as (
    select
        waits.opened_day as day,
        min(date_diff('millisecond', waits.last_waiting_at, $before) / 1000.0) as first_response,
        min(clocks.shown - waits.last_waiting_clock) as first_response_business,
        min(date_diff('millisecond', waits.last_open_at, $before) / 1000.0) as resolution
    from kept_opening_waits as waits
    left join clocks on clocks.calendar = waits.calendar
    group by waits.opened_day
)
select day, 'first_response' as clock, first_response as waited from waited
union all
select day, 'first_response_business', first_response_business from waited
union all
select day, 'resolution', resolution from waited
"""
TOLD_WAITS = (
    "select cast(null as varchar) as grain, cast(null as varchar) as clock, "
    "cast(null as date) as period_start, cast(null as double) as t"
)
_STALE_PERIODS = """
with
own as (
    select period_start, previous_start, end_on from every_period where grain = $grain
),
touched as (
    select distinct own.period_start
    from own
    join stale_days on stale_days.day >= own.period_start and stale_days.day < own.end_on
    where list_contains($reasons, stale_days.reason)
)
select period_start from touched
union
select own.period_start
from own
join touched on touched.period_start = own.previous_start
where $looks_back
union
-- Who waits on can only lengthen a wait that is told, and only by passing it.
select own.period_start
from own
join waiting_days
    on waiting_days.day >= own.period_start and waiting_days.day < own.end_on
join kept_issue_quantiles as told
    on told.grain = $grain
    and told.period_start = own.period_start
    and told.clock = waiting_days.clock
    and told.t >= waiting_days.waited
where list_contains($reasons, 'conversations')
"""
# On all days between the two an issue stood open.
STANDING = """
insert into stale_days
select distinct 'open_spans', days.period_start
from differing_open_spans
join every_period as days
    on days.grain = 'day'
    and days.period_start >= differing_open_spans.from_day
    and days.period_start < differing_open_spans.to_day
"""
OTHER_PERIODS = """
insert into {name}
select * exclude (grain)
from kept_{name}
where grain = $grain
    and period_start in (select period_start from every_period where grain = $grain)
    and not list_contains(cast($stale as date[]), period_start)
"""


def periods(
    connection: duckdb.DuckDBPyConnection, grain: str, reasons: Iterable[str], *, looks_back: bool
) -> frozenset[date]:
    """The first days of periods with a stale day for one of these reasons, of the ones after them
    for a step that ``looks_back`` at the period before, and, where conversations are a reason, of
    those in which an issue that still waits had at the earlier run waited no longer than the
    longest wait that was told of it (a median or a p90)."""
    asked = {"grain": grain, "reasons": sorted({"time", *reasons}), "looks_back": looks_back}
    return frozenset(day for (day,) in connection.execute(_STALE_PERIODS, asked).fetchall())
