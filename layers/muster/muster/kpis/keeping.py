"""A run that goes on from what an earlier one kept: only what changed is counted, and the rest is
read. The tables are the ones a run from scratch makes, row for row.

A step whose comment says "(kept by thread)", "(kept by opened_day)", "(kept by person)", "(kept by
account)", "(kept by day)", "(kept by utc_day)" or "(kept by period)" has rows that rest on one
thread, on the conversations opened on one day, on one person, account, day or period alone. Of
these the run computes the touched ones, from the messages of the touched threads and days, and
takes the others as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb

from muster.kpis import firsts, kept, stale, steps, typed
from muster.kpis.kept_files import KeptFiles
from muster.kpis.periods import naive
from muster.store import Store

KEYS = {
    "thread": ("touched_threads", ("source", "thread_id")),
    "opened_day": ("touched_openings", ("opened_day",)),
    "person": ("touched_persons", ("person",)),
    "account": ("seen_accounts", ("source", "member_id")),
    "day": ("changed_days", ("day",)),
    "utc_day": ("changed_utc_days", ("utc_day",)),
}
# What stands instead of the tables that such a step reads, so that it sees what is touched only.
_INSTEAD = {
    "opened_day": {"conversations": "touched_conversations"},
    "person": {"daily_writers": "touched_writers", "members": "touched_members"},
    "account": {"members": "seen_members"},
}
# Days whose figures a row counts in.
_FIGURE_DAYS = {"day", "opened_day", "resolved_day", "first_day"}
_MARK = re.compile(r"\(kept\s+by\s+(\w+)(, and by the one before)?\)")
_COMMENT_LINE = re.compile(r"\n--\s*")
DAY_VALUES = "day_values"
# What the next run reads, whatever KPIs there are.
FOR_THE_NEXT = ("opening_waits", "daily_authors")
# It reads messages, but those of the moment are enough, and what changes in it is looked for.
WHOLE = "listed_accounts"


def kept_by(sql: str) -> str:
    """``thread``, ``opened_day``, ``person``, ``day``, ``utc_day`` or ``period``; empty for a step
    that is not kept."""
    found = _MARK.search(_COMMENT_LINE.sub(" ", sql))
    return found[1] if found else ""


def looks_back(sql: str) -> bool:
    """Whether a period's rows of a step that is kept rest on the period before it too."""
    found = _MARK.search(_COMMENT_LINE.sub(" ", sql))
    return bool(found and found[2])


class Keeping:
    """Kept tables of a lake: read where ``goes_on``, and written when the run has succeeded."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, lake: Store, before: kept.Kept | None
    ) -> None:
        self._connection, self._lake, self.before = connection, lake, before
        self._files = KeptFiles(connection, lake, before)
        self._kept_by: dict[str, str] = {}

    @property
    def goes_on(self) -> bool:
        """Whether an earlier run's tables are gone on from."""
        return self.before is not None

    def run(self, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
        """Compute a step that is kept into a table or view of its name; another one too."""
        by = kept_by(sql)
        if by and self.goes_on:
            if by in _INSTEAD:
                self._touch(by)
            steps.run(self._connection, f"fresh_{name}", self._of_fresh(sql, by), parameters)
            self._merge(name, by)
        else:
            steps.run(self._connection, name, sql, parameters)
            if by:
                self._files.changed[name] = None

    def _of_fresh(self, sql: str, by: str) -> str:
        """The statement over the fresh rows alone of other steps that are kept by the same."""
        fresh = {name: f"fresh_{name}" for name, key in self._kept_by.items() if key == by}
        for name, other in (fresh | _INSTEAD.get(by, {})).items():
            sql = _instead(sql, name, other)
        return sql

    def _touch(self, by: str) -> None:
        """What is touched, and the tables that stand instead of others then."""
        assert self.before is not None
        if by == "account":
            self._files.view("known_accounts", stale.KNOWN_ACCOUNTS)
            since = {"watermark": naive(self.before.watermark)}
            self._connection.execute(stale.SEEN_ACCOUNTS, since)
            self._connection.execute(stale.SEEN_MEMBERS)
            return
        if by == "person":
            self._files.view("known_members", firsts.ALIKE)
            writers = _instead(steps.load()["daily_writers"], "daily_authors", "touched_authors")
            firsts.touch(self._connection, naive(self.before.as_of), writers)
            return
        self._connection.execute(stale.TOUCHED_OPENINGS)
        months = self._files.found(stale.OPENING_MONTHS)
        rows = self._files.rows_now("conversations", months)
        self._connection.execute(stale.TOUCHED_CONVERSATIONS.format(rows=rows))

    def _merge(self, name: str, by: str) -> None:
        """Fresh rows of what is touched, kept rows of what is not; what differs is stale."""
        touched, keys = KEYS[by]
        alike = f"{touched} on " + " and ".join(f"{touched}.{key} = rows.{key}" for key in keys)
        self._files.view(name, f"select * from fresh_{name}")
        before = self._files.rows_of(name, f"semi join {alike}")
        for state, rows in (("kept", before), ("fresh", f"select * from fresh_{name}")):
            self._connection.execute(
                f"create or replace temp table {state}_touched as "
                f"select rows.* from ({rows}) as rows semi join {alike}"
            )
        differing = f"differing_{name}"
        self._connection.execute(stale.DIFFERING.format(differing=differing))
        for column in _FIGURE_DAYS & {*self._files.columns(differing)}:
            self._connection.execute(
                f"insert into stale_days select distinct '{name}', {column} from {differing} "
                f"where {column} is not null"
            )
        if name == "open_spans":
            self._connection.execute(stale.STANDING)
        self._files.replace(name, differing, "fresh_touched", f"anti join {alike}")
        self._kept_by[name] = by

    def note_accounts(self) -> bool:
        """Whether accounts count otherwise than before (``other_accounts``): as another person, as
        a bot, by the settings, or as suspected. Of whom anything is said otherwise stands in
        ``differing_known_accounts``."""
        self.run("known_accounts", stale.KNOWN_ACCOUNTS, {})
        for name, select in stale.ACCOUNTS.items():
            self._connection.execute(f"create or replace temp table {name} as {select}")
            self._files.view(name, f"select * from {name}")
            self._files.keep_whole(name, name)
        if not self.goes_on:
            return False
        self._connection.execute(stale.OTHER_ACCOUNTS)
        ((others,),) = self._connection.execute("select count(*) from other_accounts").fetchall()
        return bool(others)

    def note_joined(self) -> None:
        """The days on which members joined who are new, or count otherwise, are stale."""
        self._connection.execute(stale.JOINED)

    def note_waiting(self) -> None:
        """By day opened, how long issues waited at the earlier run: ``waiting_days``; and what was
        told of waits by period."""
        assert self.before is not None
        self._files.view("issue_quantiles", stale.TOLD_WAITS)
        self._connection.execute(stale.WAITING_DAYS, {"before": naive(self.before.as_of)})
        self._files.view(DAY_VALUES, f"select * from {DAY_VALUES}")

    def days(self, kpis: Sequence[str]) -> None:
        """Keep the values by day of these KPIs."""
        listed = ", ".join(map(typed.quoted, kpis)) or "''"
        self._connection.execute(f"delete from {DAY_VALUES} where kpi not in ({listed})")
        months = "select distinct strftime(day, '%Y-%m') from stale_days"
        self._files.changed[DAY_VALUES] = self._files.found(months) if self.goes_on else None

    def period(self, name: str, grain: str, stale_ones: Iterable[date]) -> None:
        """Put the step just computed for the stale periods of a grain together with the others."""
        by_grain = f"all_{name}"
        typed = f"select '{grain}' as grain, * from {name}"
        create = "create temp table if not exists"
        self._connection.execute(f"{create} {by_grain} as {typed} limit 0")
        if self.goes_on:
            self._files.view(name, typed)
            asked = {"grain": grain, "stale": list(stale_ones)}
            self._connection.execute(stale.OTHER_PERIODS.format(name=name), asked)
        self._connection.execute(f"insert into {by_grain} {typed}")
        self._files.keep_whole(name, by_grain)

    def write(self, manifest: kept.Kept) -> None:
        """Write what is kept, then the manifest; whoever waits is read from there afterwards."""
        written = self._files.write()
        self._files.read_back("waiting_issues", written)
        kept.save(self._lake, kept.Kept(**{**vars(manifest), "written": written}))


def _instead(sql: str, name: str, other: str) -> str:
    """A statement that reads another table in place of one."""
    return re.sub(rf"\b(from|join)\s+{name}\b", rf"\1 {other} as {name}", sql)
