"""A lake's connection, settings and KPIs → every value of every period, and who still waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from muster.kpis import changes, derived, engine, given, kept
from muster.kpis.catalogue import GRAINS
from muster.kpis.changes import Changes
from muster.kpis.keeping import Keeping
from muster.kpis.measuring import Run
from muster.kpis.periods import naive
from muster.measured import Coverage, KpiValue
from muster.results import LATELY, Kpi, SuspectedBots, WaitingIssue
from muster.settings import Settings
from muster.store import Store

Elsewhere = Callable[[duckdb.DuckDBPyConnection, Sequence[Kpi], Mapping[str, Any]], Iterable[str]]

WAITING_TOLD = 200  # a table has all of them


@dataclass(frozen=True)
class Outcome:
    """One measuring: ``problems`` names each KPI that failed, with the reason; the others stand.

    ``waiting`` are ``WAITING_TOLD`` issues, those of ``LATELY`` before the old ones, each longest
    first; ``waiting_more`` wait besides, and ``waiting_old`` of all are old.
    """

    values: tuple[KpiValue, ...]
    waiting: tuple[WaitingIssue, ...]
    problems: tuple[str, ...]
    suspected: SuspectedBots = SuspectedBots()
    waiting_more: int = 0
    waiting_old: int = 0


def measure(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    kpis: Iterable[Kpi],
    *,
    as_of: datetime,
    coverage: Iterable[Coverage],
    lake: Store | None = None,
    elsewhere: Elsewhere | None = None,
) -> Outcome:
    """Every KPI in every period that began before ``as_of`` (exclusive).

    ``connection`` is fresh from :func:`muster.kpis.engine.connect`. ``lake`` receives the derived
    tables, and what the next run can go on from; without it everything is counted from scratch and
    nothing is written. A KPI whose setting in ``needs`` is empty has no values. ``elsewhere``
    fills the tables that are read then, instead of this connection, and keeps what is its own.
    """
    wanted = tuple(kpi for kpi in kpis if all(getattr(settings, need) for need in kpi.needs))
    spans = tuple(coverage)
    given.check_patterns(connection, settings)
    read = kept.read_objects(lake) if lake else {}
    oldest = kept.oldest(lake, read) if lake else {}
    reaches_back = given.prepare(connection, settings, as_of, spans, GRAINS, oldest)
    run = Run(connection, settings, wanted, as_of, reaches_back)
    if elsewhere:
        problems = elsewhere(connection, wanted, given.parameters(settings, as_of))
    elif lake is None:
        problems = run.from_scratch(None)
    else:
        problems = _kept_run(run, lake, spans, read)
    if lake:
        in_order = () if elsewhere else ("waiting",)
        derived.write_tables(connection, lake.put, in_order)
    values, waiting = tuple(_values(connection)), tuple(_waiting(connection))
    (in_all,) = connection.execute(_WAITING_COUNTED, [LATELY.total_seconds()]).fetchall()
    return Outcome(
        values,
        waiting,
        tuple(dict.fromkeys(problems)),
        _suspected(connection, as_of),
        in_all[0] - len(waiting),
        in_all[1],
    )


def _kept_run(
    run: Run, lake: Store, spans: Sequence[Coverage], read: Mapping[str, str]
) -> list[str]:
    """Go on from what an earlier run kept, if that still holds; keep what the next can use.

    ``read`` are the lake's objects, as they were before anything was read.
    """
    mark = kept.fingerprint(run.settings, run.rests_on(), run.connection)
    before = kept.load(lake)
    covered = tuple(given.covered(spans))
    now = kept.Kept(mark, kept.since(lake), run.as_of, covered, read, {})
    if (
        before
        and run.can_go_on()
        and kept.is_still_good(before, now, changes.moving(run.settings))
        and kept.are_there(before, lake)
    ):
        keeping = Keeping(run.connection, lake, before)
        changed = Changes(run.connection, lake, run.settings, before, read)
        with engine.one_thread(run.connection):
            if run.go_on(keeping, changed):
                keeping.write(now)
                return []
    keeping = Keeping(run.connection, lake, None)
    problems = run.from_scratch(keeping)
    keeping.write(now)
    return problems


def _values(connection: duckdb.DuckDBPyConnection) -> Iterator[KpiValue]:
    order = "select * from kpi_values order by kpi, grain, period_start, segment"
    found = connection.execute(order)
    names = [column[0] for column in found.description or ()]
    for row in found.fetchall():
        yield KpiValue(**dict(zip(names, row, strict=True)))


_LEFT_OUT = """
select count(distinct suspected.source || ' ' || suspected.member_id), count(messages.message_id)
from (select distinct source, member_id from suspected_accounts) as suspected
left join messages
    on messages.source = suspected.source
    and messages.author_id = suspected.member_id
    and messages.created_at < $as_of
    and messages.deleted_at is null
"""


def _suspected(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> SuspectedBots:
    (found,) = connection.execute(_LEFT_OUT, {"as_of": naive(as_of)}).fetchall()
    return SuspectedBots(*found)


_WAITING = """
select * from waiting order by waited_seconds > ?, opened_at, source, message_id limit ?
"""
_WAITING_COUNTED = "select count(*), count(*) filter (waited_seconds > ?) from waiting"


def _waiting(connection: duckdb.DuckDBPyConnection) -> Iterator[WaitingIssue]:
    found = connection.execute(_WAITING, [LATELY.total_seconds(), WAITING_TOLD])
    names = [column[0] for column in found.description or ()]
    for row in found.fetchall():
        fields = dict(zip(names, row, strict=True))
        yield WaitingIssue(**{**fields, "opened_at": fields["opened_at"].replace(tzinfo=UTC)})
