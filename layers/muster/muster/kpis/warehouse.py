"""The lake and what the settings gave → every KPI's values, by an engine that takes Trino's SQL.

Statement after statement, each step becomes a table there; what each KPI finds for each period
comes back into DuckDB, which holds it against the KPI's promises and makes the table of values of
it, as it does its own. Which engine that is, :class:`Warehouse` leaves to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import duckdb

from muster.errors import BadKpi
from muster.kpis import derived, given, measuring, steps, typed, valuing
from muster.kpis.catalogue import GRAINS
from muster.kpis.dialects import Recursion, carried, over, recursion
from muster.results import Kpi
from muster.store import Store

Kinds = Mapping[str, str]

# What is read after the values are there: written to the lake, or asked for by the report.
BROUGHT = ("suspected_accounts", "listed_accounts", "waiting")
DEEPEST = 1000  # rounds of a recursion, as with Spark
_FOUND = {
    "period_start": "date", "segment": "varchar", "value": "double", "n": "bigint",
    "times": "bigint",
}  # fmt: skip
# DuckDB adds up in a wider type than there is elsewhere.
_NARROWER = {"hugeint": "bigint"}


class Warehouse(Protocol):
    """An engine that sees the lake's tables by their names; kinds are DuckDB's names of types.

    The tables of a run have names that begin with ``prefix``.
    """

    prefix: str

    def put(self, name: str, kinds: Kinds, rows: bytes) -> None:
        """Make a table of a Parquet file's bytes."""

    def keep(self, name: str, kinds: Kinds, sql: str) -> None:
        """Make a table of the rows of a ``select``."""

    def bring(
        self, connection: duckdb.DuckDBPyConnection, name: str, kinds: Kinds, sql: str
    ) -> None:
        """Put the rows of a ``select`` into a new temporary table of the connection."""

    def drop(self) -> None:
        """Forget every table that was made."""


def compute(
    connection: duckdb.DuckDBPyConnection,
    kpis: Sequence[Kpi],
    parameters: Mapping[str, Any],
    lake: Store,
    warehouse: Warehouse,
    *,
    is_kept: bool,
) -> list[str]:
    """Fill ``kpi_values`` and the tables in ``BROUGHT``; a line for each KPI that fails.

    ``connection`` holds what :func:`muster.kpis.given.prepare` made; the lake receives the months
    of ``conversations`` if they are to be kept.
    """
    run = _Run(connection, parameters, warehouse)
    try:
        for name, kinds in given.GIVEN.items():
            run.see(name, kinds)
        told = [f"from {name}" for name in (*BROUGHT, "conversations")]
        order = steps.needed([*(kpi.sql for kpi in kpis), *told], run.shared)
        by_grain = steps.each_grain(order, run.shared)
        run.keep(name for name in order if name not in by_grain)
        held = {name: run.kinds(name) for name in (*BROUGHT, "conversations")}
        problems = list(run.values(kpis, by_grain))
        for name in BROUGHT:
            run.bring(name, held[name], f"select * from {name}")
        if is_kept:
            run.write_conversations(lake, held["conversations"])
        return problems
    finally:
        run.forget()
        warehouse.drop()


class _Run:
    """One measuring: which table of the warehouse each name stands for, and what there is to do."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        parameters: Mapping[str, Any],
        warehouse: Warehouse,
    ) -> None:
        self.connection, self.parameters, self.warehouse = connection, parameters, warehouse
        self.shared = steps.load()
        self._placed: dict[str, str] = {}
        self._empty: set[str] = set()

    def see(self, name: str, kinds: Kinds, grain: str = "") -> None:
        """Let the warehouse see a small table of DuckDB's, whose columns are of these kinds."""
        rows = derived.encoded(self.connection, f"select {', '.join(kinds)} from {name}", "all")
        self.warehouse.put(self._place(name, grain), kinds, rows)

    def keep(self, names: Iterable[str], grain: str = "") -> None:
        """Compute steps once and let their rows be read by their names.

        DuckDB holds an empty table of each, which says what kinds its columns are of.
        """
        for name in names:
            rounds = recursion(self.shared[name])
            sql = self._in_rounds(name, rounds) if rounds else self.shared[name]
            self._keep(name, sql, grain)

    def _keep(self, name: str, sql: str, grain: str = "") -> None:
        empty = f"create or replace temp table {name} as select * from ({sql}\n) limit 0"
        steps.drop(self.connection, name)
        self.connection.execute(empty, steps.used(sql, self.parameters))
        self._empty.add(name)
        told = self._carried(sql, self.parameters)
        self.warehouse.keep(self._place(name, grain), self.kinds(name), told)

    def forget(self) -> None:
        """Drop the empty tables, so that whoever reads the connection next meets none of them."""
        for name in sorted(self._empty - set(BROUGHT)):
            steps.drop(self.connection, name)

    def _in_rounds(self, step: str, told: Recursion) -> str:
        """Make a table of each round of a recursion; the statement that reads them all."""
        for name, sql in told.before.items():
            self._keep(name, sql)
        self._keep(f"{step}_0", told.first)
        done = 0
        while self._has_rows(f"{step}_{done}"):
            if done == DEEPEST:
                raise BadKpi(f"{step}: more than {DEEPEST} answers hang below one another")
            steps.drop(self.connection, told.name)
            self.connection.execute(f"create temp view {told.name} as from {step}_{done}")
            self._empty.add(told.name)
            self._placed[told.name] = self._placed[f"{step}_{done}"]
            done += 1
            self._keep(f"{step}_{done}", told.more)
        every = " union all ".join(f"select * from {step}_{number}" for number in range(done + 1))
        return f"with {told.name} as ({every}) {told.rest}"

    def _has_rows(self, name: str) -> bool:
        self.bring("counted", {"n": "bigint"}, f"select count(*) as n from {name}")
        (found,) = self.connection.execute("select n from counted").fetchall()
        return bool(found[0])

    def kinds(self, name: str) -> Kinds:
        """The columns of a table of DuckDB's with their kinds."""
        told = self.connection.execute(f"describe {name}").fetchall()
        lower = ((row[0], row[1].lower()) for row in told)
        return {column: _NARROWER.get(kind, kind) for column, kind in lower}

    def values(self, kpis: Sequence[Kpi], by_grain: Sequence[str]) -> Iterator[str]:
        """Fill ``kpi_values``; yields a line for each KPI that fails."""
        self.connection.execute(measuring.KPI_VALUES)
        days = valuing.Days(self.connection, ())

        def find(sql: str, said: Mapping[str, Any]) -> None:
            self.warehouse.bring(self.connection, "found", _FOUND, self._carried(sql, said))

        kinds = {**given.GIVEN["every_period"]}
        del kinds["grain"]
        for grain in GRAINS:
            self.connection.execute(measuring.PERIODS, {"grain": grain})
            self.see("periods", kinds, grain)
            self.keep(by_grain, grain)
            asked = [kpi for kpi in kpis if grain in kpi.grains]
            yield from valuing.measure(self.connection, asked, grain, self.parameters, days, find)

    def bring(self, name: str, kinds: Kinds, sql: str) -> None:
        """The rows of a statement of ours as a table of DuckDB's."""
        steps.drop(self.connection, name)
        self.warehouse.bring(self.connection, name, kinds, self._carried(sql, {}))

    def write_conversations(self, lake: Store, kinds: Kinds) -> None:
        """The months of ``conversations`` as they lie in the lake."""
        month = "strftime(opened_at, '%Y-%m')"
        self.bring("months", {"month": "varchar"}, f"select distinct {month} as month "
                   "from conversations")  # fmt: skip
        found = self.connection.execute("select month from months where month is not null")
        derived.write_conversations(
            self.connection, lake, [row[0] for row in found.fetchall()],
            lambda name: self.bring("conversations", kinds, "select * from conversations "
                                    f"where {month} = {typed.quoted(name)}"),
        )  # fmt: skip

    def _place(self, name: str, grain: str) -> str:
        """What a table is called there from now on."""
        self._placed[name] = "_".join(filter(None, (f"{self.warehouse.prefix}{name}", grain)))
        return self._placed[name]

    def _carried(self, sql: str, said: Mapping[str, Any]) -> str:
        """A statement of ours in Trino's SQL, over the tables that this run made there."""
        return over(carried(sql, "trino", said), self._placed)


def refused(told: str) -> BadKpi:
    """What to raise for a statement that an engine did not run."""
    return BadKpi(" ".join(told.split())[:300])
