"""Periods are local dates, weeks ISO weeks, the running one ends at as_of."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.kpis.catalogue import GRAINS
from muster.kpis.periods import periods

zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "America/Sao_Paulo"]
)
days = st.integers(0, 6000)
instants = days.map(
    lambda n: datetime(2012, 1, 1, 5, 30, tzinfo=UTC) + timedelta(days=n, hours=n % 24)
)


@given(zone=zones, first=instants, span=st.integers(1, 500), grain=st.sampled_from(GRAINS))
def test_every_instant_lies_in_exactly_one_period(zone, first, span, grain):
    as_of = first + timedelta(days=span)
    found = list(periods(grain, ZoneInfo(zone), first, as_of))
    assert found[0].start_at <= first and found[-1].end_at == as_of
    assert all(a.end_at == b.start_at for a, b in zip(found, found[1:], strict=False))
    assert all(a.end_on == b.period_start for a, b in zip(found, found[1:], strict=False))
    for one in found:
        assert one.start_at.astimezone(ZoneInfo(zone)).date() == one.period_start
    assert all(not one.is_partial for one in found[:-1])


TEN_ZONES = (
    "Europe/Berlin", "America/New_York", "America/Santiago", "America/Havana", "Asia/Beirut",
    "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia",
    "Africa/Casablanca",
)  # fmt: skip


@cache
def turns(zone: ZoneInfo) -> list[datetime]:
    """The hours (UTC) of the years 2009 to 2027 after which the zone's clocks have changed."""
    days = [datetime(2009, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(6900)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    changed = [a for a, one, other in zip(days, offsets, offsets[1:], strict=False) if one != other]
    return [
        next(
            day + timedelta(hours=n)
            for n in range(25)
            if (day + timedelta(hours=n)).astimezone(zone).utcoffset()
            != day.astimezone(zone).utcoffset()
        )
        for day in changed
    ]


def plain(day: date, grain: str) -> tuple[date, date]:
    """First days of the period a date lies in and of the next, by the calendar's own words."""
    if grain == "week":
        monday = date.fromisocalendar(*day.isocalendar()[:2], 1)
        return monday, monday + timedelta(days=7)
    if grain == "day":
        return day, day + timedelta(days=1)
    months = {"month": 1, "quarter": 3, "year": 12}[grain]
    first = (day.month - 1) // months * months + 1
    last = date(day.year, first + months - 1, monthrange(day.year, first + months - 1)[1])
    return date(day.year, first, 1), last + timedelta(days=1)


@st.composite
def moments(draw) -> tuple[ZoneInfo, datetime]:
    """A zone and an instant around a night of changed clocks, or where ISO weeks 53 and 1 meet."""
    zone = ZoneInfo(draw(st.sampled_from(TEN_ZONES)))
    year = draw(st.sampled_from([2009, 2015, 2020, 2026]))
    ends = [datetime(year, 12, 27, tzinfo=UTC) + timedelta(days=n) for n in range(9)]
    at = draw(st.sampled_from([*turns(zone), *ends]))
    return zone, at + timedelta(minutes=draw(st.integers(-1500, 1500)))


@given(moment=moments(), grain=st.sampled_from(GRAINS))
def test_an_instant_lies_in_the_period_that_the_calendar_says(moment, grain):
    zone, at = moment
    start, following = plain(at.astimezone(zone).date(), grain)
    later = at + timedelta(days=400)
    (one,) = [one for one in periods(grain, zone, at, later) if one.period_start == start]
    assert one.start_at <= at < one.end_at
    assert one.end_on == following
    # An instant before its start, or at its end, has another date.
    assert plain((one.start_at - MOMENT).astimezone(zone).date(), grain)[0] < start
    assert plain(one.end_at.astimezone(zone).date(), grain)[0] >= following


MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("grain", "starts"),
    [
        ("week", ["2026-12-21", "2026-12-28", "2027-01-04"]),
        ("month", ["2026-12-01", "2027-01-01"]),
        ("quarter", ["2026-10-01", "2027-01-01"]),
        ("year", ["2026-01-01", "2027-01-01"]),
    ],
)
def test_week_53_belongs_to_neither_year_but_to_itself(grain, starts):
    found = periods(
        grain, ZoneInfo("Europe/Berlin"),
        datetime(2026, 12, 22, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC),
    )  # fmt: skip
    assert [str(one.period_start) for one in found] == starts


def test_a_period_that_ends_at_as_of_is_whole():
    zone = ZoneInfo("Europe/Berlin")
    monday = datetime(2026, 3, 8, 23, tzinfo=UTC)
    (week,) = periods("week", zone, monday - timedelta(days=7), monday)
    assert not week.is_partial
    (running,) = periods("week", zone, monday - timedelta(days=7), monday - timedelta(seconds=1))
    assert running.is_partial and running.end_on == date(2026, 3, 9)
