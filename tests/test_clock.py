"""Periods and instants: local dates of the community's zone, ISO weeks, DST nights."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.clock import (
    last_whole_period,
    local_midnight,
    next_period,
    parse_instant,
    period_start,
)
from muster.errors import BadSettings

GRAINS = ("day", "week", "month", "quarter", "year")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia",
         "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Asia/Tehran",
         "Pacific/Chatham")  # fmt: skip
days = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@given(days, st.sampled_from(GRAINS))
def test_every_day_lies_in_exactly_one_period(day, grain):
    start = period_start(day, grain)
    assert start <= day < next_period(start, grain)
    assert period_start(start, grain) == start
    assert period_start(next_period(start, grain) - timedelta(days=1), grain) == start


@given(days)
def test_weeks_are_iso_weeks(day):
    assert period_start(day, "week").isocalendar()[:2] == day.isocalendar()[:2]
    assert period_start(day, "week").isoweekday() == 1


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
    st.sampled_from(GRAINS),
)
def test_the_last_whole_period_is_over_and_the_next_is_not(as_of, name, grain):
    zone = ZoneInfo(name)
    start = last_whole_period(as_of, zone, grain)
    end = next_period(start, grain)
    assert local_midnight(end, zone) <= as_of
    assert local_midnight(next_period(end, grain), zone) > as_of


def test_week_53_belongs_to_the_old_year():
    assert period_start(date(2027, 1, 2), "week") == date(2026, 12, 28)


def test_a_local_day_is_as_long_as_it_is():
    zone = ZoneInfo("Europe/Berlin")
    short = local_midnight(date(2026, 3, 30), zone) - local_midnight(date(2026, 3, 29), zone)
    assert short == timedelta(hours=23)


def test_an_instant_without_offset_is_local():
    zone = ZoneInfo("Europe/Berlin")
    assert parse_instant("2026-11-24T09:00", zone) == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert parse_instant("2026-11-24T09:00Z", zone) == datetime(2026, 11, 24, 9, tzinfo=UTC)
    with pytest.raises(BadSettings, match="2026-11-24"):
        parse_instant("yesterday", zone)
