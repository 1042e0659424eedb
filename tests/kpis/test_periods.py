"""Periods are local dates, weeks ISO weeks, the running one ends at as_of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
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
