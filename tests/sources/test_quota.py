"""What is read a day or a month is counted, and refused beyond what the settings allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.errors import RateLimited
from muster.settings import Source
from muster.sources import Window
from muster.sources._quota import Per, left, spend

NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


def window(now: datetime = NOW) -> Window:
    return Window(options=Source(name="tube", platform="x"), now=now, cursor={})


def test_counts_to_the_limit_and_no_further() -> None:
    state: dict[str, Any] = {}
    spend(state, window(), "units", 60, 100)
    spend(state, window(), "units", 40, 100)
    assert left(state, window(), "units", 100) == 0
    with pytest.raises(RateLimited, match="tube: 100 units a day") as caught:
        spend(state, window(), "units", 1, 100)
    assert caught.value.seconds == 30 * 60
    assert state["quota"]["units"]["used"] == 100


def test_a_new_period_starts_from_nothing_in_its_own_zone() -> None:
    state: dict[str, Any] = {}
    spend(state, window(), "units", 100, 100, zone="America/Los_Angeles")
    with pytest.raises(RateLimited):  # it is still the same afternoon there
        spend(state, window(NOW + timedelta(hours=1)), "units", 1, 100, zone="America/Los_Angeles")
    spend(state, window(NOW + timedelta(hours=9)), "units", 1, 100, zone="America/Los_Angeles")
    assert left(state, window(NOW), "units", 100, zone="America/Los_Angeles") == 100


def test_no_limit_is_none() -> None:
    state: dict[str, Any] = {}
    spend(state, window(), "posts", 10**9, None, per="month")
    assert state["quota"]["posts"] == {"period": "2026-11", "used": 10**9}


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["day", "month"]),
    st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kolkata"]),
)
def test_the_wait_ends_exactly_where_the_next_period_begins(
    now: datetime, per: Per, zone: str
) -> None:
    state: dict[str, Any] = {}
    with pytest.raises(RateLimited) as caught:
        spend(state, window(now), "units", 1, 0, per=per, zone=zone)
    begins = now + timedelta(seconds=caught.value.seconds)
    here = begins.astimezone(ZoneInfo(zone))
    assert begins > now
    assert (here.hour, here.minute) == (0, 0) and (per == "day" or here.day == 1)
    just_before = (begins - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    was = now.astimezone(ZoneInfo(zone))
    assert (just_before.date() if per == "day" else just_before.month) == (
        was.date() if per == "day" else was.month
    )
