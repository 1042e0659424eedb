"""Comparisons against a second computation that knows only calendars: days counted one by one."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import cache
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured import build, kpi

from muster.clock import next_period, period_start
from muster.measured import KpiValue
from muster.reports import series
from muster.reports.numbers import style_of, value_text
from muster.reports.words import load
from muster.settings import Report, Settings

MEMBERS = kpi("members")
DAY = timedelta(days=1)
FIRST = date(2018, 1, 1)
GRAINS = ("week", "month", "quarter")
dates = st.dates(date(2020, 1, 10), date(2030, 12, 31))


def name_of(day: date, grain: str) -> tuple[int, ...]:
    """What a calendar calls the period a day lies in."""
    if grain == "week":
        return tuple(day.isocalendar())[:2]
    return {
        "day": (day.year, day.month, day.day),
        "month": (day.year, day.month),
        "quarter": (day.year, (day.month + 2) // 3),
        "year": (day.year,),
    }[grain]


@cache
def days_of(name: tuple[int, ...], grain: str) -> list[date]:
    """Every day with that name, found by looking at each day of the years around."""
    first = date(name[0], 1, 1) - 8 * DAY
    return [day for day in (first + n * DAY for n in range(385)) if name_of(day, grain) == name]


def earlier(name: tuple[int, ...], grain: str) -> tuple[int, ...]:
    return name_of(days_of(name, grain)[0] - DAY, grain)


def last_year(name: tuple[int, ...], grain: str) -> tuple[int, ...]:
    """The same name, one year less; a year without a week 53 ends with 52."""
    wanted = (name[0] - 1, *name[1:])
    return wanted if days_of(wanted, grain) else (wanted[0], wanted[1] - 1)


def quarter_of(name: tuple[int, ...], grain: str) -> tuple[int, int]:
    """Most of a week's days decide its quarter: that is its Thursday's."""
    quarters = [name_of(day, "quarter") for day in days_of(name, grain)]
    return max(set(quarters), key=quarters.count)


@pytest.mark.parametrize("grain", GRAINS)
@settings(max_examples=25, deadline=None)
@given(as_of=dates, hour=st.integers(0, 23), seed=st.integers(0, 10**6), gaps=st.integers(2, 9))
def test_a_value_is_compared_with_the_right_periods_and_never_with_a_running_one(
    grain, as_of, hour, seed, gaps
):
    now = datetime(as_of.year, as_of.month, as_of.day, hour, tzinfo=UTC)
    values, by_name, start = [], {}, period_start(FIRST, grain)
    while start <= as_of:
        number = hash((seed, start.toordinal())) % 997
        if number % gaps:
            is_running = next_period(start, grain) > as_of
            values.append(value_of(grain, start, number, is_running))
            if not is_running:
                by_name[name_of(start, grain)] = number
        start = next_period(start, grain)
    found = build((MEMBERS,), values, Settings(community="C"), Report(grain=grain), now)
    (measure,) = found.measures
    running = name_of(as_of if hour else as_of - DAY, grain)
    if days_of(running, grain)[-1] < as_of:  # it ended with the midnight of as_of
        this = running
    else:
        this = earlier(running, grain)
    assert measure.value == by_name.get(this)
    told = {one.name: one.value_text for one in measure.comparisons}
    expected = {f"last {grain}": by_name.get(earlier(this, grain))}
    if grain != "quarter":
        quarter = quarter_of(this, grain)
        near = {name: one for name, one in by_name.items() if abs(name[0] - this[0]) <= 1}
        so_far = [
            one for name, one in near.items() if name <= this and quarter_of(name, grain) == quarter
        ]
        mean = fmean(so_far) if len(so_far) > 1 else None
        expected["the quarter so far"] = mean
    expected["a year before"] = by_name.get(last_year(this, grain))
    assert set(told) == set(expected)
    for name, number in expected.items():
        shown = "–" if number is None else rounded(number)
        assert told[name] == shown, name


def value_of(grain: str, start: date, number: float, is_running: bool) -> KpiValue:
    return KpiValue(
        kpi="members", version=1, grain=grain, period_start=start, segment="all",
        value=float(number), n=50, too_few=False, partial=is_running,
    )  # fmt: skip


def rounded(number: float) -> str:
    """Counts are shown to the decimal that a mean of them needs."""
    return value_text(float(number), style_of(MEMBERS, "EUR", load()))


@given(day=dates)
def test_a_day_stands_beside_the_same_weekday_of_the_same_week(day):
    other = series.year_before(day, "day")
    assert calendar.weekday(day.year, day.month, day.day) == other.weekday()
    monday = period_start(day, "week")
    assert period_start(other, "week") == series.year_before(monday, "week")
    assert 357 <= (day - other).days <= 371
