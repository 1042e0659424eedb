"""One run over a lake: the steps in their order, then every KPI grain by grain, days first.

From scratch, or going on from what an earlier run kept (:mod:`muster.kpis.keeping`): then steps
that rest on messages see those of the touched threads and days only, and steps and values that are
kept get their other rows from before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

import duckdb

from muster.kpis import catalogue, derived, given, lightening, stale, steps, valuing
from muster.kpis.catalogue import GRAINS
from muster.kpis.changes import Changes
from muster.kpis.keeping import DAY_VALUES, FOR_THE_NEXT, WHOLE, Keeping, kept_by, looks_back
from muster.records import TABLES
from muster.results import Kpi
from muster.settings import Settings

KPI_VALUES = """
create or replace temp table kpi_values (
    kpi varchar, version bigint, grain varchar, period_start date, segment varchar,
    value double, n bigint, too_few boolean, partial boolean
)
"""
PERIODS = """
create or replace temp table periods as
select period_start, previous_start, end_on, start_at, end_at, is_partial
from every_period
where grain = $grain
"""
_SOME_DAYS = (
    PERIODS
    + """and period_start in (
    select day from stale_days where list_contains($reasons, reason)
)"""
)
_STALE = PERIODS + "and list_contains(cast($stale as date[]), period_start)"
_FOLLOWED = {"messages", "threads", "members"}  # a KPI that reads another table is counted whole
_STANDING = {"open_spans", "periods"}  # of these the days between the two of a row are followed


@dataclass
class Run:
    """The KPIs of one run at ``as_of``; ``is_rolled`` if the periods reach back to all we know."""

    connection: duckdb.DuckDBPyConnection
    settings: Settings
    kpis: tuple[Kpi, ...]
    as_of: datetime
    is_rolled: bool
    shared: dict[str, str] = field(default_factory=steps.load)
    _asked: list[str] = field(default_factory=list)  # what is asked of the steps in ``_read``
    _read: dict[str, str] = field(default_factory=dict)

    def from_scratch(self, keep: Keeping | None) -> list[str]:
        """Count everything; a line for each KPI that fails."""
        return list(self._measured(keep, None))

    def go_on(self, keep: Keeping, changed: Changes) -> bool:
        """Count what changed; false if anything fails, since it may be for want of the rest."""
        try:
            failed = bool(list(self._measured(keep, changed)))
        except duckdb.Error:
            failed = True
        self.connection.execute("drop view if exists temp.messages")
        if failed:
            _clear(self.connection)
        return not failed

    def can_go_on(self) -> bool:
        """Whether every KPI's values follow from what is kept and what changed."""
        return self.is_rolled and all(
            not self._is_partial(kpi) or (kpi.from_days and self._follows(kpi)) for kpi in self.kpis
        )

    def rests_on(self) -> dict[str, Any]:
        """What of the KPIs must be as at the earlier run for this one to go on: those whose days
        were kept, and by grain the kept steps that any of them reads."""
        followed = [kpi for kpi in self.kpis if self._follows(kpi)]
        return {
            "days": [[kpi.id, kpi.sql, kpi.from_days, kpi.grains] for kpi in followed],
            "steps": {grain: sorted(self._kept_steps(self._asked_by(grain))) for grain in GRAINS},
        }

    def _asked_by(self, grain: str) -> list[Kpi]:
        """The KPIs that have periods of a grain, or days from which their periods follow."""
        is_day = grain == "day"
        return [
            kpi for kpi in self.kpis if grain in kpi.grains or (is_day and self._is_rolled(kpi))
        ]

    def _kept_steps(self, kpis: Iterable[Kpi]) -> list[str]:
        needed = steps.needed([kpi.sql for kpi in kpis], self.shared)
        return [name for name in needed if kept_by(self.shared[name])]

    def _measured(self, keep: Keeping | None, changed: Changes | None) -> Iterator[str]:
        self.connection.execute(KPI_VALUES)
        told = [f"select * from {table}" for table, _ in derived.TABLES.values()]
        told += ["select * from listed_accounts"]  # for who judges messages again (kpis/voices.py)
        told += [f"select * from {name}" for name in FOR_THE_NEXT] if keep else []
        self._asked = [*(kpi.sql for kpi in self.kpis), *told]
        order = steps.needed(self._asked, self.shared)
        self._read = {name: self.shared[name] for name in order}
        by_grain = steps.each_grain(order, self.shared)
        days = valuing.Days(self.connection, [kpi.id for kpi in self.kpis if self._is_rolled(kpi)])
        parameters = given.parameters(self.settings, self.as_of)
        later = [*self._asked, *(self.shared[name] for name in by_grain)]
        later += [f"from {name}" for name in order if kept_by(self.shared[name])]
        grainless = [name for name in order if name not in by_grain]
        self._grainless(grainless, later, parameters, keep, changed)
        self._hold(by_grain)
        for grain in GRAINS:
            yield from self._grain(grain, by_grain, parameters, days, keep, changed)
        if keep:
            followed = [kpi.id for kpi in self.kpis if self._follows(kpi)]
            keep.days(followed)

    def _grainless(
        self,
        names: Sequence[str],
        later: Sequence[str],
        parameters: Mapping[str, Any],
        keep: Keeping | None,
        changed: Changes | None,
    ) -> None:
        """The steps that rest on no period; ``later`` are the statements that read them after."""
        outlived = steps.outlived(names, self.shared, later)
        who = self._accounts(parameters, keep, changed)
        if changed:
            changed.load_threads()
        for name in names:
            if name not in who:
                self._step(name, parameters, keep)
            for old in outlived.get(name, ()):
                kind = "view" if steps.is_view(self.shared[old]) else "table"
                self.connection.execute(f"drop {kind} {old}")
        if keep and changed:
            changed.let_threads_go()
            keep.note_joined()
            keep.note_waiting()

    def _accounts(
        self, parameters: Mapping[str, Any], keep: Keeping | None, changed: Changes | None
    ) -> list[str]:
        """The steps that tell which accounts count as what; where some count otherwise than at the
        earlier run, their messages have changed too, and may tell more."""
        who = steps.needed(["from suspected_accounts"], self.shared)
        if changed:
            changed.load()
        for name in who:
            self._step(name, parameters, keep)
        if keep and keep.note_accounts() and changed and changed.add_accounts():
            for name in who:
                self._step(name, parameters, keep)
        return who

    def _hold(self, by_grain: Iterable[str]) -> None:
        """Read tables of the lake that are asked for in every grain once: a file costs more than
        its rows. What is told of a day is short; messages are no table that KPIs read."""
        asking = [*(kpi.sql for kpi in self.kpis), *(self.shared[name] for name in by_grain)]
        asked = frozenset[str]().union(*map(steps.reads, asking))
        for name in sorted(asked & TABLES.keys() - _FOLLOWED):
            self.connection.execute(
                f"create temp table if not exists {name} as select * from main.{name}"
            )

    def _step(self, name: str, parameters: Mapping[str, Any], keep: Keeping | None) -> None:
        sql = self.shared[name]
        if not (steps.is_view(sql) or (keep and kept_by(sql))):
            sql = lightening.lighter(name, self._read, self._asked)
        if keep:
            keep.run(name, sql, parameters)
        else:
            steps.run(self.connection, name, sql, parameters)

    def _grain(
        self,
        grain: str,
        by_grain: Sequence[str],
        parameters: Mapping[str, Any],
        days: valuing.Days,
        keep: Keeping | None,
        changed: Changes | None,
    ) -> Iterator[str]:
        """Every KPI in the periods of one grain."""
        asked = self._asked_by(grain)
        if not asked:
            return
        kept = [name for name in self._kept_steps(asked) if name in by_grain]
        for periods, names in self._stale(grain, kept) if changed else [(None, kept)]:
            self._set_periods(grain, periods)
            self._by_grain(by_grain, [f"from {name}" for name in names], parameters)
            if keep:
                for name in names:
                    keep.period(name, grain, periods or ())
        if changed and grain == "day":
            yield from self._some_days(by_grain, kept, parameters, days)
        if changed:
            self._set_periods(grain)
        direct = [kpi.sql for kpi in asked if not days.has(kpi)]
        self._by_grain(by_grain, direct, parameters, without=kept)
        yield from valuing.measure(self.connection, asked, grain, parameters, days)

    def _set_periods(self, grain: str, some: Iterable[date] | None = None) -> None:
        """The table ``periods``: all of a grain, or some."""
        if some is None:
            self.connection.execute(PERIODS, {"grain": grain})
        else:
            self.connection.execute(_STALE, {"grain": grain, "stale": list(some)})

    def _stale(
        self, grain: str, kept: Iterable[str]
    ) -> Iterator[tuple[frozenset[date], list[str]]]:
        """The periods that may differ, with the steps kept by period in which they do."""
        by_reasons: dict[tuple[frozenset[str], bool], list[str]] = {}
        for name in kept:
            sql = self.shared[name]
            rests_on = frozenset(_seen(sql, self.shared)), looks_back(sql)
            by_reasons.setdefault(rests_on, []).append(name)
        by_periods: dict[frozenset[date], list[str]] = {}
        for (reasons, back), names in by_reasons.items():
            found = stale.periods(self.connection, grain, reasons, looks_back=back)
            by_periods.setdefault(found, []).extend(names)
        yield from by_periods.items()

    def _some_days(
        self,
        by_grain: Sequence[str],
        kept: Sequence[str],
        parameters: Mapping[str, Any],
        days: valuing.Days,
    ) -> Iterator[str]:
        """Of KPIs that follow from days: those days that may differ anew, the others as kept."""
        by_reasons: dict[frozenset[str], list[Kpi]] = {}
        for kpi in self.kpis:
            if self._follows(kpi):
                by_reasons.setdefault(frozenset(self._reasons(kpi)), []).append(kpi)
        for reasons, chosen in by_reasons.items():
            asked = {"grain": "day", "reasons": sorted(reasons)}
            self.connection.execute(_SOME_DAYS, asked)
            sqls = [kpi.sql for kpi in chosen]
            stored = self._by_grain(by_grain, sqls, parameters, without=kept, is_stored=True)
            yield from valuing.measure_days(
                self.connection, chosen, parameters, days, f"kept_{DAY_VALUES}"
            )
            for name in stored:
                steps.drop(self.connection, name)

    def _by_grain(
        self,
        by_grain: Iterable[str],
        readers: Sequence[str],
        parameters: Mapping[str, Any],
        without: Iterable[str] = (),
        *,
        is_stored: bool = False,
    ) -> list[str]:
        """Compute the steps of the present ``periods`` that some SQL rests on.

        With ``is_stored`` views too are computed, once, since the rows are few; of them no more
        columns than are read. Returns the names.
        """
        shared = {**self.shared, **dict.fromkeys(without, "")}
        wanted = set(steps.needed(readers, shared)) - set(without)
        named = [name for name in by_grain if name in wanted]
        for name in named:
            sql = self.shared[name]
            if is_stored:
                steps.drop(self.connection, name)
                sql = lightening.lighter(name, self._read, readers) if steps.is_view(sql) else sql
            steps.run(self.connection, name, sql, parameters, is_stored=is_stored)
        return named

    def _follows(self, kpi: Kpi) -> bool:
        """Whether the KPI's days rest on nothing but rows whose changes are followed by day."""
        return (
            self._built_in.get(kpi.id) == kpi.sql  # another may look at as_of, or at other days
            and _tables(kpi.sql, self.shared) <= _FOLLOWED
            and self._is_rolled(kpi)
            and (kpi.from_days in ("sum", "mean") or steps.reads(kpi.sql) <= _STANDING)
        )

    @cached_property
    def _built_in(self) -> dict[str, str]:
        return {kpi.id: kpi.sql for kpi in catalogue.load()}

    def _is_rolled(self, kpi: Kpi) -> bool:
        """Whether the KPI's longer periods follow from its days; not if their values must be held
        against an assertion of their own."""
        return bool(kpi.from_days) and self.is_rolled and not kpi.assertions

    def _reasons(self, kpi: Kpi) -> set[str]:
        """The tables and kept steps for whose sake a day of the KPI may be stale: messages alone,
        if it rests on them, since other days have only some of theirs."""
        if self._is_partial(kpi):
            return {"messages"}
        return {"time", *_seen(kpi.sql, self.shared)}

    def _is_partial(self, kpi: Kpi) -> bool:
        """Whether the KPI reads messages, or a step that is there for some of them only."""
        return "messages" in _seen(kpi.sql, self.shared)


def _seen(sql: str, shared: Mapping[str, str]) -> set[str]:
    """What a statement reads, and the steps it reads that are not kept."""
    return _read_by(sql, shared, lambda name: name == WHOLE or bool(kept_by(shared[name])))


def _tables(sql: str, shared: Mapping[str, str]) -> set[str]:
    """The tables of the lake that a statement rests on."""
    found = _read_by(sql, shared, lambda name: name == WHOLE)
    return found - shared.keys() - {*given.GIVEN, "periods"}


def _read_by(sql: str, shared: Mapping[str, str], is_end: Callable[[str], bool]) -> set[str]:
    """What a statement reads, and what the steps read that it reads, up to those that end it."""
    found, waiting = set[str](), [sql]
    while waiting:
        new = steps.reads(waiting.pop()) - found
        found |= new
        waiting += [shared[name] for name in new & shared.keys() if not is_end(name)]
    return found


def _clear(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what an attempt left behind; what was given stays."""
    for kind in ("view", "table"):
        sql = f"select {kind}_name from duckdb_{kind}s() where temporary and not internal"
        for (name,) in connection.execute(sql).fetchall():
            if name not in given.GIVEN:
                connection.execute(f'drop {kind} if exists temp."{name}"')
