"""Two engines' values → equal, or where they differ: what every engine is held against."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from muster.kpis import engine
from muster.measured import KpiValue
from muster.results import Measured

Told = dict[tuple[Any, ...], KpiValue]
TABLES = ("conversations", "waiting", "kpi_values", "suspected_accounts")


def by_key(told: Iterable[KpiValue]) -> Told:
    return {(one.kpi, one.grain, one.period_start, one.segment): one for one in told}


def assert_equal(duck: Told, other: Told) -> None:
    """The same rows, n and marks; values within 1e-9: sums have orders of their own."""
    assert sorted(duck.keys() - other.keys())[:5] == [], "only DuckDB has these"
    assert sorted(other.keys() - duck.keys())[:5] == [], "only the other engine has these"
    for key, one in duck.items():
        mine = other[key]
        assert math.isclose(one.value, mine.value, rel_tol=1e-9, abs_tol=1.1e-9), (one, mine)
        assert replace(one, value=0.0) == replace(mine, value=0.0)


def assert_same_lake(duck: tuple[Measured, str], other: tuple[Measured, str]) -> None:
    """What two measurings told, and what they left in their lakes (addresses)."""
    assert other[0].problems == duck[0].problems
    for one in fields(Measured):
        if one.name != "values":
            mine, theirs = getattr(duck[0], one.name), getattr(other[0], one.name)
            assert theirs == mine, (one.name, difference(mine, theirs))
    assert_equal(by_key(duck[0].values), by_key(other[0].values))
    for table in TABLES:
        mine, theirs = (
            engine.ask(lake, f"select * from {table} order by all") for _, lake in (duck, other)
        )
        assert theirs.columns == mine.columns and len(theirs.rows) == len(mine.rows), table
        if "value" not in mine.columns:
            assert [close(row) for row in theirs.rows] == [close(row) for row in mine.rows], table


def difference(mine: Any, theirs: Any) -> Any:
    """Where two tuples first differ."""
    if not isinstance(mine, tuple) or len(mine) != len(theirs):
        return mine, theirs
    return next(pair for pair in zip(mine, theirs, strict=True) if pair[0] != pair[1])


def close(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose doubles are told by nine digits."""
    return tuple(float(f"{one:.9g}") if isinstance(one, float) else one for one in row)
