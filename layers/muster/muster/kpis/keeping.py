"""A run that goes on from what an earlier one kept: only what changed is counted, and the rest is
read. The tables are the ones a run from scratch makes, row for row.

A step whose comment says "(kept by thread)", "(kept by day)", "(kept by utc_day)" or "(kept by
period)" has rows that rest on one thread, day or period alone. Of these the run computes the
touched ones, from the messages of the touched threads and days, and takes the others as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb

from muster.kpis import derived, engine, kept, stale, steps
from muster.kpis.periods import naive
from muster.store import Store

KEYS = {
    "thread": ("touched_threads", ("source", "thread_id")),
    "day": ("changed_days", ("day",)),
    "utc_day": ("changed_utc_days", ("utc_day",)),
    "period": ("stale_periods", ("grain", "period_start")),
}
_DATES = ("opened_at", "day", "utc_day", "period_start")  # by which a table is cut into months
_FIGURE_DAYS = ("day", "opened_day", "resolved_day")  # days whose figures a row counts in
_MARK = re.compile(r"\(kept\s+by\s+(\w+)(, and by the one before)?\)")
_COMMENT_LINE = re.compile(r"\n--\s*")
DAY_VALUES = "day_values"
# It reads messages, but those of the moment are enough, and what changes in it is looked for.
WHOLE = "listed_accounts"


def kept_by(sql: str) -> str:
    """``thread``, ``day``, ``utc_day`` or ``period``; empty for a step that is not kept."""
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
        self._months: dict[str, set[str] | None] = {}
        self._kept_by: dict[str, str] = {}
        self._by_grain: set[str] = set()
        self._zoned: dict[str, str] = {}

    @property
    def goes_on(self) -> bool:
        """Whether an earlier run's tables are gone on from."""
        return self.before is not None

    def run(self, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
        """Compute a step that is kept, by thread or day, into a table or view of its name."""
        by = kept_by(sql)
        if not self.goes_on:
            steps.run(self._connection, name, sql, parameters)
            self._months[name] = None
            return
        steps.run(self._connection, f"fresh_{name}", self._of_fresh(sql, by), parameters)
        self._merge(name, *KEYS[by])
        self._kept_by[name] = by

    def _of_fresh(self, sql: str, by: str) -> str:
        """The statement over the fresh rows alone of other steps that are kept by the same."""
        for name in steps.reads(sql):
            if self._kept_by.get(name) == by:
                fresh = rf"\1 fresh_{name} as {name}"
                sql = re.sub(rf"\b(from|join)\s+{name}\b", fresh, sql)
        return sql

    def note_accounts(self) -> bool:
        """Whether accounts count otherwise than before (``other_accounts``): as another person, as
        a bot, by the settings, or as suspected."""
        for name, select in stale.ACCOUNTS.items():
            self._connection.execute(f"create or replace temp table {name} as {select}")
            self._view_kept(name, f"select * from {name}")
            self._months[name] = {""}
        self._connection.execute(stale.OTHER_ACCOUNTS)
        return bool(self._count("other_accounts"))

    def note_joined(self) -> None:
        """The days on which members joined who are new, or count otherwise, are stale."""
        self._connection.execute(stale.JOINED)

    def note_waiting(self) -> None:
        """By day opened, how long issues waited at the earlier run: ``waiting_days``."""
        assert self.before is not None
        self._connection.execute(stale.WAITING_DAYS, {"before": naive(self.before.as_of)})
        self._view_kept(DAY_VALUES, f"select * from {DAY_VALUES}")

    def days(self, kpis: Sequence[str]) -> None:
        """Keep the values by day of these KPIs."""
        listed = ", ".join(map(engine.quoted, kpis)) or "''"
        self._connection.execute(f"delete from {DAY_VALUES} where kpi not in ({listed})")
        self._months[DAY_VALUES] = None
        if self.goes_on:
            sql = "select distinct strftime(day, '%Y-%m') from stale_days"
            found = self._connection.execute(sql).fetchall()
            self._months[DAY_VALUES] = {row[0] for row in found}

    def period(self, name: str, grain: str) -> None:
        """Put the step just computed for the stale periods of a grain together with the others."""
        by_grain = f"all_{name}"
        typed = f"select '{grain}' as grain, * from {name}"
        create = "create temp table if not exists"
        self._connection.execute(f"{create} {by_grain} as {typed} limit 0")
        if self.goes_on:
            self._connection.execute(
                f"delete from {name} where period_start not in (select period_start "
                f"from stale_periods)"
            )
            self._view_kept(name, typed)
            self._connection.execute(
                f"insert into {name} select * exclude (grain) from kept_{name} "
                f"where grain = '{grain}' and period_start in (select period_start from "
                f"every_period where grain = '{grain}') and period_start not in "
                "(select period_start from stale_periods)"
            )
        self._connection.execute(f"insert into {by_grain} {typed}")
        self._by_grain.add(name)
        self._months[name] = {""}

    def write(self, manifest: kept.Kept) -> None:
        """Write the months that changed, empty what no longer is, then the manifest."""
        there = dict(self.before.written if self.before else {})
        for name, months in self._months.items():
            there = self._write(name, months, there)
        for key in kept.written_objects(self._lake).keys() - there.keys():
            name = kept.table_of(key)
            if name in self._months:
                none = f"(select * from {name} limit 0)"
                there[key] = self._lake.put(key, self._encoded(name, "", none))
        facts = {**vars(manifest), "written": there}
        kept.save(self._lake, kept.Kept(**facts))

    def _write(self, name: str, months: set[str] | None, there: dict[str, str]) -> dict[str, str]:
        prefix = kept.folder(name)
        if months is None:
            there = {key: tag for key, tag in there.items() if not key.startswith(prefix)}
            months = set(self._months_of(name))
        for month in sorted(months):
            key = f"{prefix}month={month}/part-0.parquet" if month else f"{prefix}part-0.parquet"
            there[key] = self._lake.put(key, self._encoded(name, month))
        return there

    def _months_of(self, name: str) -> Iterator[str]:
        column = self._dated(name)
        sql = f"select distinct strftime({column}, '%Y-%m') from {name} where {column} is not null"
        yield from (row[0] for row in self._connection.execute(sql).fetchall())

    def _encoded(self, name: str, month: str, rows: str = "") -> bytes:
        """The rows of a month (of a table without months, all) as Parquet; or those of ``rows``."""
        table = f"all_{name}" if name in self._by_grain else name
        if name not in self._zoned:  # the same for every month
            self._zoned[name] = derived.zoned(self._connection, f"select * from {table}")
        chosen = f"select {self._zoned[name]} from {rows or table}"
        if month:
            start, column = date.fromisoformat(f"{month}-01"), self._dated(name)
            chosen += f" where {column} >= date '{start}' and {column} < date '{start}'"
            chosen += " + interval 1 month"
        return derived.written(self._connection, f"{chosen} order by all")

    def _merge(self, name: str, touched: str, keys: tuple[str, ...]) -> None:
        """Fresh rows of what is touched, kept rows of what is not; what differs is stale."""
        alike = " and ".join(f"{touched}.{key} = rows.{key}" for key in keys)
        self._view_kept(name, f"select * from fresh_{name}")
        for state in ("kept", "fresh"):
            self._connection.execute(
                f"create or replace temp table {state}_touched as "
                f"select rows.* from {state}_{name} as rows semi join {touched} on {alike}"
            )
        self._connection.execute(
            "create or replace temp table differing as "
            "(select * from kept_touched except all select * from fresh_touched) union all by name "
            "(select * from fresh_touched except all select * from kept_touched)"
        )
        self._connection.execute(
            f"create or replace temp table now_{name} as select * from fresh_touched"
        )
        self._connection.execute(
            f"create or replace temp view {name} as select rows.* from kept_{name} as rows "
            f"anti join {touched} on {alike} union all by name select * from now_{name}"
        )
        self._note(name)

    def _note(self, name: str) -> None:
        """Which months are to be written again, and which days' figures may differ."""
        dated = self._dated(name)
        sql = f"select distinct strftime({dated}, '%Y-%m') from differing"
        self._months[name] = {row[0] for row in self._connection.execute(sql).fetchall()}
        for column in set(_FIGURE_DAYS) & set(self._columns("differing")):
            self._connection.execute(
                f"insert into stale_days select distinct '{name}', {column} from differing "
                f"where {column} is not null"
            )

    def _view_kept(self, name: str, alike: str) -> None:
        """``kept_<name>``: what was kept of a table, with the columns of the SQL ``alike``."""
        prefix = kept.folder(name)
        written = self.before.written if self.before else {}
        paths = [self._lake.url(key) for key in written if key.startswith(prefix)]
        sql = f"select * from ({alike}) limit 0"
        if paths:
            listed = ", ".join(map(engine.quoted, paths))
            sql = engine.plain_times(
                self._connection,
                f"select * from read_parquet([{listed}], hive_partitioning = false)",
            )
        self._connection.execute(f"create or replace temp view kept_{name} as {sql}")

    def _dated(self, name: str) -> str:
        present = self._columns(name)
        return next(column for column in _DATES if column in present)

    def _columns(self, name: str) -> list[str]:
        found = self._connection.execute(f"select * from {name} limit 0")
        return [column[0] for column in found.description or ()]

    def _count(self, name: str) -> int:
        return int(self._connection.execute(f"select count(*) from {name}").fetchall()[0][0])
