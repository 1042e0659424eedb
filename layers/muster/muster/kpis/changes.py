"""The lake now and an earlier run's manifest → which messages, threads and days are to be counted
again, as temporary tables.

* ``changed_messages``: written since (or so lately that time alone moves them), changed since, or
  by an account that has another role now.
* ``touched_threads``: theirs, those with a reply to them or with a message of their days, and those
  the platform told new facts of.
* ``changed_days``, ``changed_utc_days``: the days of these messages.
* ``stale_days``: the local days on which some figure may differ, with the table that is the reason
  (or ``time``); the kept tables add theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

import duckdb

from muster.kpis import engine, steps
from muster.kpis.kept import Kept
from muster.kpis.periods import naive
from muster.settings import Settings
from muster.store import Store

_CHANGED = """
create or replace temp table changed_messages as
select source, message_id, thread_id, author_id, created_at
from messages_of_months
where created_at >= $recent
union
select source, message_id, thread_id, author_id, created_at
from rewritten_messages
where observed_at >= $watermark
"""
_BY_OTHERS = """
insert into changed_messages
select messages.source, messages.message_id, messages.thread_id, messages.author_id,
    messages.created_at
from messages
semi join other_accounts
    on other_accounts.source = messages.source
    and other_accounts.member_id = messages.author_id
    and other_accounts.is_other_role
anti join changed_messages
    on changed_messages.source = messages.source
    and changed_messages.message_id = messages.message_id
"""
_THREADS = """
create or replace temp table touched_threads as
select source, thread_id from changed_messages
union
select messages.source, messages.thread_id
from messages
semi join changed_messages
    on changed_messages.source = messages.source
    and changed_messages.message_id = messages.parent_id
union
select source, thread_id from messages_of_days
union
select source, thread_id from rewritten_threads where observed_at >= $watermark
union
select source, thread_id from threads where solved_at >= $before or closed_at >= $before
union
select source, thread_id from messages where list_contains($chats, source)
"""
_THREADS_OF_OTHERS = """
insert into touched_threads
select distinct messages.source, messages.thread_id
from messages
semi join other_accounts
    on other_accounts.source = messages.source and other_accounts.member_id = messages.author_id
anti join touched_threads
    on touched_threads.source = messages.source and touched_threads.thread_id = messages.thread_id
"""
_DAYS = """
create or replace temp table changed_days as
select distinct day_spans.day
from changed_messages
join day_spans
    on day_spans.utc_day = cast(changed_messages.created_at as date)
    and changed_messages.created_at >= day_spans.start_at
    and changed_messages.created_at < day_spans.end_at
"""
_UTC_DAYS = """
create or replace temp table changed_utc_days as
select distinct cast(created_at as date) as utc_day from changed_messages
"""
_STALE = """
create or replace temp table stale_days as
select 'messages' as reason, day from changed_days
union
select 'time', day from day_spans where start_at >= $moving
"""
_MONTHS = """
select distinct messages.source, strftime(messages.created_at, '%Y-%m')
from messages
semi join touched_threads
    on touched_threads.source = messages.source and touched_threads.thread_id = messages.thread_id
"""
_OF_DAYS = """
create or replace temp view messages_of_days as
select messages.*
from messages_of_months as messages
semi join loaded_utc_days
    on loaded_utc_days.utc_day = cast(messages.created_at as date)
"""
_LOADED = """
create or replace temp table loaded_messages as
select messages.*
from messages_of_months as messages
semi join touched_threads
    on touched_threads.source = messages.source and touched_threads.thread_id = messages.thread_id
"""
_LOADED_THREADS = """
create or replace temp table loaded_threads as
select threads.*
from threads
semi join touched_threads
    on touched_threads.source = threads.source and touched_threads.thread_id = threads.thread_id
"""
_LOADED_DAYS = """
create or replace temp table loaded_utc_days as
select utc_day from changed_utc_days
union
select day_spans.utc_day from day_spans join changed_days on changed_days.day = day_spans.day
"""


class Changes:
    """What is new since an earlier run; ``read`` are the lake's objects of the tables now."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        lake: Store,
        settings: Settings,
        kept: Kept,
        read: Mapping[str, str],
    ) -> None:
        self._connection, self._lake, self._read = connection, lake, read
        before, longest = naive(kept.as_of), settings.longest_windows
        self._facts = {
            "before": before,
            "recent": before - longest.quiet,
            "moving": naive(kept.as_of - moving(settings)),
            "watermark": naive(kept.watermark),
            "chats": [one.name for one in settings.sources if one.chat],
        }
        self._kept = kept

    def load(self) -> None:
        """Find what changed; from here on ``messages`` are those of the days that changed."""
        self._rewritten(self._kept)
        recent = f"{self._facts['recent']:%Y-%m}"
        self._months(lambda key: key.partition("/month=")[2][:7] >= recent)
        self._run(_CHANGED)
        self._days()

    def add_accounts(self) -> bool:
        """Count again the messages of ``other_accounts`` that are in another role now; whether
        there are any."""
        self._run("drop view temp.messages")
        added = self._connection.execute(_BY_OTHERS).fetchall()[0][0]
        self._days()
        return bool(added)

    def load_threads(self) -> None:
        """From here on ``messages`` are those of touched threads, and of the threads that
        ``other_accounts`` wrote in; ``threads`` are the touched ones until they are let go."""
        self._run("drop view temp.messages")
        for sql in (_THREADS, _THREADS_OF_OTHERS):
            self._run(sql)
        found = self._connection.execute(_MONTHS).fetchall()
        wanted = {f"source={source}/month={month}" for source, month in found}
        self._months(lambda key: "/".join(key.split("/")[2:4]) in wanted)
        self._run(_LOADED)
        self._run("create temp view messages as select * from loaded_messages")
        self._run(_LOADED_THREADS)
        self._run("create temp view threads as select * from loaded_threads")

    def let_threads_go(self) -> None:
        """From here on ``threads`` are all again."""
        self._run("drop view temp.threads")

    def _days(self) -> None:
        for sql in (_DAYS, _UTC_DAYS, _LOADED_DAYS, _STALE):
            self._run(sql)
        months = "select distinct strftime(utc_day, '%Y-%m') from loaded_utc_days"
        found = self._connection.execute(months).fetchall()
        self._months(lambda key: (key.partition("/month=")[2][:7],) in found)
        self._run(_OF_DAYS)
        self._run("create temp view messages as select * from messages_of_days")

    def _months(self, is_wanted: Callable[[str], bool]) -> None:
        """``messages_of_months``: the messages of some objects."""
        self._view("messages_of_months", "messages", filter(is_wanted, self._of("messages")))

    def _rewritten(self, kept: Kept) -> None:
        """A view of each table over the objects that are not those of the earlier run."""
        for table in ("messages", "threads"):
            changed = (key for key in self._of(table) if kept.read.get(key) != self._read[key])
            self._view(f"rewritten_{table}", table, changed)

    def _of(self, table: str) -> Iterable[str]:
        return (key for key in self._read if key.startswith(f"tables/{table}/"))

    def _view(self, name: str, table: str, keys: Iterable[str]) -> None:
        engine.view_of(self._connection, name, table, self._lake.urls(keys))

    def _run(self, sql: str) -> None:
        self._connection.execute(sql, steps.used(sql, self._facts))


def moving(settings: Settings) -> timedelta:
    """How long after a moment figures of it still move by time alone; a day for its zone."""
    longest = settings.longest_windows
    spans = (longest.quiet, longest.answer, longest.resolution, longest.reopen)
    return max(spans) + timedelta(days=2)
