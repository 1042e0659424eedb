"""Values counted by hand, with their marks → where Muster's are others: none missing, none more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from math import isclose

from recount_periods import Period
from recount_stories import SPANS, span
from recount_support import Told
from small_lake import measured
from village import Village

from muster.kpis import catalogue

KPIS = {one.id: one for one in catalogue.load()}
Key = tuple[str, str, str, str]  # KPI, grain, first day, segment
Value = tuple[float, int, bool, bool]  # value, n, too few, partial
NONE = (-1e9, -1, False, False)


def marked(
    told: Village,
    period: Period,
    values: Iterable[tuple[str, str, float, int]],
    kpis: Collection[str],
) -> Iterator[tuple[Key, Value]]:
    """A period's values, and the zeros of those KPIs where nothing was found."""
    found = [*values]
    found += zeros(told, period, {(kpi, segment) for kpi, segment, *_ in found}, kpis)
    for kpi, segment, value, n in found:
        marks = is_few(told, kpi, n), is_open(told, kpi, period)
        yield (kpi, period.grain, str(period.start), segment), (float(value), n, *marks)


def zeros(
    told: Village, period: Period, known: set[tuple[str, str]], kpis: Collection[str]
) -> Told:
    """Nothing was found, and somebody looked all the time."""
    for kpi in map(KPIS.__getitem__, kpis):
        spans = [one for one in told.coverage if one.table_name == kpi.table]
        if kpi.zero == "all" and (kpi.id, "all") not in known and period.is_covered(spans):
            yield kpi.id, "all", 0, 0
        for one in spans if kpi.zero == "source" else ():
            if (kpi.id, one.source) not in known and period.is_covered([one]):
                yield kpi.id, one.source, 0, 0


def is_few(told: Village, kpi: str, n: int) -> bool:
    return KPIS[kpi].statistic in ("mean", "quantile", "ratio") and n < told.settings["min_n"]


def is_open(told: Village, kpi: str, period: Period) -> bool:
    """Still running, or its window has not passed for all."""
    sources = [one["name"] for one in told.settings["sources"]]
    name = KPIS[kpi].settles
    windows = (
        [SPANS[name], *(span(told.settings, one, name) for one in sources)]
        if name
        else [timedelta()]
    )
    return period.is_partial or period.end_at + max(windows) > told.as_of


def differing(told: Village, wanted: dict[Key, Value], kpis: Collection[str]) -> dict:
    """Where hand and Muster differ: what each has."""
    outcome = measured(
        told.rows, as_of=told.as_of, kpis=kpis, coverage=told.coverage, **told.settings
    )
    assert outcome.problems == (), outcome.problems
    found = {
        (one.kpi, one.grain, str(one.period_start), one.segment): (
            one.value, one.n, one.too_few, one.partial,
        )
        for one in outcome.values
    }  # fmt: skip
    return {
        key: (wanted.get(key), found.get(key))
        for key in sorted({*wanted, *found})
        if not is_same(wanted.get(key, NONE), found.get(key, NONE))
    }


def is_same(one: Value, other: Value) -> bool:
    return one[1:] == other[1:] and isclose(one[0], other[0], rel_tol=1e-6, abs_tol=1e-8)
