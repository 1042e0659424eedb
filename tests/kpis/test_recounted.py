"""A community's KPIs, counted once more by a plain program that was written from the rulings.

Every value of support, reputation and community health, in every grain and segment, with ``n`` and
its marks; and that there is no other: a 0 stands where a success vouches for it, else nothing.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from recount_people import People
from recount_periods import START_OF, Hours, Period, periods
from recount_stories import SPANS, Stories, span
from recount_support import Support
from recount_voices import Voices
from small_lake import measured
from thorough import tries
from village import FIRST, WEEKS, Village, village

from muster.kpis import catalogue

KPIS = {one.id: one for one in catalogue.load()}
DAY = timedelta(days=1)
Key = tuple[str, str, str, str]  # KPI, grain, first day, segment
Value = tuple[float, int, bool, bool]  # value, n, too few, partial
NONE = (-1e9, -1, False, False)


def recounted(told: Village) -> dict[Key, Value]:
    people = People(told.rows, told.settings, told.as_of)
    stories = Stories(people, told.as_of)
    first = min([one.at for one in stories.lines] + [one.from_at for one in told.coverage])
    support, voices = Support(stories, hours(told, people)), Voices(stories, people.day(first))
    found: dict[Key, Value] = {}
    for grain in START_OF:
        before = Period(grain, START_OF[grain](people.day(first) - 400 * DAY), people.zone, first)
        for period in periods(grain, people.zone, first, told.as_of):
            values = [
                *support.of(period),
                *support.solutions(period),
                *voices.of(period, before, period.is_covered(told.coverage)),
            ]
            values += zeros(told, period, {(kpi, segment) for kpi, segment, *_ in values})
            for kpi, segment, value, n in values:
                marks = is_few(told, kpi, n), is_open(told, kpi, period)
                found[kpi, grain, str(period.start), segment] = (float(value), n, *marks)
            before = period
    return found


def hours(told: Village, people: People) -> dict[str, Hours | None]:
    """Each source's working hours, its own or the community's."""
    own = {one["name"]: one.get("business_hours") for one in told.settings["sources"]}
    ends = FIRST - 3 * DAY, FIRST + WEEKS * 7 * DAY + 30 * DAY
    return {
        name: Hours(plan, people.zone, *ends)
        if (plan := one or told.settings.get("business_hours"))
        else None
        for name, one in own.items()
    }


def zeros(told: Village, period: Period, known: set[tuple[str, str]]):
    """Nothing was found, and somebody looked all the time."""
    for kpi in KPIS.values():
        is_counted = kpi.zero == "all" and kpi.table == "messages"
        if is_counted and (kpi.id, "all") not in known and period.is_covered(told.coverage):
            yield kpi.id, "all", 0, 0
    for one in told.coverage:
        if ("mentions", one.source) not in known and period.is_covered([one]):
            yield "mentions", one.source, 0, 0


def is_few(told: Village, kpi: str, n: int) -> bool:
    return KPIS[kpi].statistic in ("mean", "quantile", "ratio") and n < told.settings["min_n"]


def is_open(told: Village, kpi: str, period: Period) -> bool:
    """Still running, or its window has not passed for all."""
    sources = [one["name"] for one in told.settings["sources"]]
    name = KPIS[kpi].settles
    windows = (
        [SPANS[name], *(span(told.settings, one, name) for one in sources)] if name else [0 * DAY]
    )
    return period.is_partial or period.end_at + max(windows) > told.as_of


@pytest.mark.parametrize("seed", range(tries(2, 60)))
def test_every_value_is_that_of_a_plain_count(seed):
    told = village(seed)
    wanted = recounted(told)
    names = {key[0] for key in wanted}
    outcome = measured(
        told.rows, as_of=told.as_of, kpis=names, coverage=told.coverage, **told.settings
    )
    assert outcome.problems == ()
    found = {
        (one.kpi, one.grain, str(one.period_start), one.segment): (
            one.value, one.n, one.too_few, one.partial,
        )
        for one in outcome.values
    }  # fmt: skip
    differing = {
        key: (wanted.get(key), found.get(key))
        for key in sorted({*wanted, *found})
        if wanted.get(key, NONE) != pytest.approx(found.get(key, NONE), abs=1e-8)
    }
    assert not differing
