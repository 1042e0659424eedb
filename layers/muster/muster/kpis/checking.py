"""The rows KPIs yielded → the promises they break: those of every KPI, and its header's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import duckdb

from muster.kpis.typed import quoted
from muster.results import Kpi

# What is said when it breaks → what must hold for each row.
_OF_ALL = {
    "a segment has two values in one period": "times = 1",
    "a row has no segment": "segment is not null",
    "period_start begins no period, join periods": (
        "period_start = date_trunc($grain, period_start)"
    ),
    "n is missing or below 0": "n >= 0",
    "a value is no finite number": "isfinite(value)",
    "a value is below {lowest:g}": "coalesce(value >= lowest - 1e-9, true)",
    "a value is above {highest:g}": "coalesce(value <= highest + 1e-9, true)",
}


def broken(
    connection: duckdb.DuckDBPyConnection, kpis: Sequence[Kpi], grain: str
) -> dict[str, list[str]]:
    """KPI → a sentence for each promise that a row of it in ``all_found`` breaks, with its period;
    nothing of one that keeps them all."""
    found: dict[str, list[str]] = {}
    for kpi, said in (*_of_all(connection, kpis, grain), *_of_their_own(connection, kpis)):
        found.setdefault(kpi, []).append(said)
    return found


def _of_all(
    connection: duckdb.DuckDBPyConnection, kpis: Sequence[Kpi], grain: str
) -> Iterator[tuple[str, str]]:
    by_id = {kpi.id: kpi for kpi in kpis}
    bounds = ", ".join(
        f"({quoted(kpi.id)}, {_literal(kpi.lowest)}, {_literal(kpi.highest)})" for kpi in kpis
    )
    sql = (
        f"select kpi, {_firsts(_OF_ALL.values())} from all_found join (values {bounds}) "
        "as bounds (kpi, lowest, highest) using (kpi) group by kpi"
    )
    for kpi, *periods in connection.execute(sql, {"grain": grain}).fetchall() if kpis else ():
        for said, period in zip(_OF_ALL, periods, strict=True):
            if period is not None:
                yield kpi, f"{said.format(**vars(by_id[kpi]))} (period of {period})"


def _of_their_own(
    connection: duckdb.DuckDBPyConnection, kpis: Sequence[Kpi]
) -> Iterator[tuple[str, str]]:
    for kpi in kpis:
        if not kpi.assertions:
            continue
        sql = f"select {_firsts(kpi.assertions)} from all_found where kpi = $kpi"
        (periods,) = connection.execute(sql, {"kpi": kpi.id}).fetchall()
        for rule, period in zip(kpi.assertions, periods, strict=True):
            if period is not None:
                yield kpi.id, f"the assertion '{rule}' does not hold (period of {period})"


def _firsts(rules: Iterable[str]) -> str:
    """For each rule the first period of a row for which it does not hold."""
    return ", ".join(
        f"min(case when not coalesce(({rule}), false) then period_start end)" for rule in rules
    )


def _literal(bound: float | None) -> str:
    return "null::double" if bound is None else f"{bound!r}::double"
