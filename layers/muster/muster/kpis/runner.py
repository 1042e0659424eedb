"""A lake's connection, settings and KPIs → every value of every period, and who still waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from muster.records import Coverage, KpiValue
from muster.results import Kpi, WaitingIssue
from muster.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """One measuring: ``problems`` names each KPI that failed, with the reason; the others stand."""

    values: tuple[KpiValue, ...]
    waiting: tuple[WaitingIssue, ...]
    problems: tuple[str, ...]


def measure(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    kpis: Iterable[Kpi],
    *,
    as_of: datetime,
    coverage: Iterable[Coverage],
    write: Callable[[str, bytes], object] | None = None,
) -> Outcome:
    """Every KPI in every period that began before ``as_of`` (exclusive).

    ``connection`` is fresh from :func:`muster.kpis.engine.connect`. ``write(key, bytes)`` receives
    the derived tables: ``tables/{conversations,waiting,kpi_values,coverage}/part-0.parquet``.
    """
    return Outcome((), (), ())
