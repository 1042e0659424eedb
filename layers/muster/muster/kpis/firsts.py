"""Which persons' first day may be another than at the earlier run, and what it is counted from: SQL
over the tables that :mod:`muster.kpis.keeping` makes.

Whoever wrote on a day more is first known then, if not known before: one look at what was kept of
them. Whoever wrote on a day less, or whose accounts are others now, is counted from all days.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

ALIKE = (
    "select cast(null as varchar) as person, cast(null as timestamp) as first_at, "
    "cast(null as date) as first_day"
)
# The accounts that changed, and the others of their persons, now and before.
_ACCOUNTS = """
create or replace temp table counted_accounts as
with
changed as (
    (select source, author_id as member_id from (
        select * from kept_daily_authors semi join changed_days using (day)
        except select * from fresh_daily_authors
    ))
    union
    select source, member_id from other_accounts
    union
    select source, member_id from differing_known_accounts
    union
    select source, member_id from known_accounts where joined_at >= $before
),
persons as (
    select person_id from known_accounts semi join changed using (source, member_id)
    where person_id is not null
    union
    select person_id from kept_known_accounts semi join changed using (source, member_id)
    where person_id is not null
)
select source, member_id from changed
union
select source, member_id from known_accounts semi join persons using (person_id)
"""
_AUTHORS = """
create or replace temp table touched_authors as
select daily_authors.*
from daily_authors
semi join counted_accounts
    on counted_accounts.source = daily_authors.source
    and counted_accounts.member_id = daily_authors.author_id
union
(
    select * from fresh_daily_authors semi join changed_days using (day)
    except select * from kept_daily_authors semi join changed_days using (day)
)
"""
_MEMBERS = """
create or replace temp view touched_members as
select members.*
from members
semi join counted_accounts
    on counted_accounts.source = members.source
    and counted_accounts.member_id = members.member_id
"""
_PERSONS = """
create or replace temp table touched_persons as
with
linked as (
    select source, member_id, person_id from known_accounts where person_id is not null
    union all
    select source, member_id, person_id from kept_known_accounts where person_id is not null
)
select 'person ' || linked.person_id as person
from linked
semi join counted_accounts using (source, member_id)
union
select 'account ' || source || ' ' || member_id from counted_accounts
union
select touched_writers.person
from touched_writers
left join kept_known_members on kept_known_members.person = touched_writers.person
where kept_known_members.person is null
    or touched_writers.first_at < kept_known_members.first_at
"""


def touch(connection: duckdb.DuckDBPyConnection, before: datetime, writers: str) -> None:
    """``touched_persons``, and of ``members`` and ``daily_writers`` what they are counted from, as
    ``touched_members`` and ``touched_writers``; ``writers`` is the SQL that makes the latter."""
    connection.execute(_ACCOUNTS, {"before": before})
    connection.execute(_AUTHORS)
    connection.execute(_MEMBERS)
    connection.execute(f"create or replace temp table touched_writers as {writers}")
    connection.execute(_PERSONS)
