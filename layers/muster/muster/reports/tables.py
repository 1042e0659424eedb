"""What was measured goes in, CSV comes out that a spreadsheet cannot be made to run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from muster.measured import GoalStatus, KpiValue
from muster.reports import inert
from muster.reports.model import Measure

LONGEST = 2_000
#: Columns of ``kpis.csv``: what the values of ``kpi_values.csv`` mean.
KPI_COLUMNS = ("kpi", "title", "question", "definition", "unit", "better", "version")


def series(measure: Measure) -> bytes:
    """One measure, a row per period."""
    fixed = (measure.kpi, measure.title, measure.segment, measure.unit)
    rows = (
        (*fixed, point.period_start, point.value, point.n, point.tone) for point in measure.points
    )
    head = ("kpi", "title", "segment", "unit", "period_start", "value", "n", "reading")
    return written(head, rows)


def values(found: Iterable[KpiValue]) -> bytes:
    """Every value of every KPI, grain, period and segment."""
    return _records(KpiValue, found)


def verdicts(found: Iterable[GoalStatus]) -> bytes:
    """Every goal with its verdict, in its KPI's unit."""
    return _records(GoalStatus, found)


def kpis(measures: Iterable[Measure]) -> bytes:
    """Every KPI once, in words."""
    each = {one.kpi: tuple(getattr(one, name) for name in KPI_COLUMNS) for one in measures}
    return written(KPI_COLUMNS, each.values())


def _records(kind: type, found: Iterable[Any]) -> bytes:
    names = tuple(field.name for field in fields(kind))
    return written(names, ([getattr(one, name) for name in names] for one in found))


def written(head: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """RFC 4180 in UTF-8; no value is an empty cell, and a formula is marked as text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)  # the same few names stand in every row
def _text(raw: str) -> object:
    return inert.csv_cell(inert.text(raw, LONGEST))
