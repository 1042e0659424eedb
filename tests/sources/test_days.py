"""Days of an account: each is read, recent ones again, and a killed run goes on."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from muster.sources import Window
from muster.sources._days import Plan, days_of, spans

ZONE = ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # 4 o'clock there
PLAN = Plan(recent=2, settling=5, history=30, most=7)


def read(
    state: dict[str, Any],
    now: datetime = NOW,
    plan: Plan = PLAN,
    start: date | None = None,
    **bounds: Any,
) -> list[date]:
    """The days asked for."""
    window = Window(options=SimpleNamespace(since=start), now=now, cursor={}, **bounds)
    return [day for span in spans(state, window, ZONE, plan) for day in days_of(span)]


def days(first: str, last: str) -> list[date]:
    return list(days_of((date.fromisoformat(first), date.fromisoformat(last))))


def test_a_first_fetch_reads_the_history_or_from_the_start_that_is_asked_for() -> None:
    assert read({}) == days("2026-10-22", "2026-11-20")
    assert read({}, start=date(2026, 11, 3)) == days("2026-11-03", "2026-11-20")


def test_later_ones_read_what_may_still_change_once_a_day_and_the_newest_every_time() -> None:
    state: dict[str, Any] = {}
    read(state)
    assert read(state) == days("2026-11-19", "2026-11-20")
    assert read(state, NOW + timedelta(hours=21)) == days("2026-11-16", "2026-11-21")
    assert read(state, NOW + timedelta(hours=22)) == days("2026-11-20", "2026-11-21")
    assert read(state, NOW + timedelta(days=20)) == days("2026-11-17", "2026-12-10")


def test_the_account_s_zone_decides_the_day() -> None:
    state: dict[str, Any] = {}
    read(state)
    assert read(state, datetime(2026, 11, 21, 7, 59, tzinfo=UTC))[-1] == date(2026, 11, 20)
    assert read(state, datetime(2026, 11, 21, 8, 0, tzinfo=UTC))[-1] == date(2026, 11, 21)


def test_a_backfill_reads_its_window_and_leaves_the_mark_alone() -> None:
    state: dict[str, Any] = {}
    read(state)
    bounds = {"since": datetime(2026, 9, 1, 12, tzinfo=UTC),
              "until": datetime(2026, 9, 10, 7, tzinfo=UTC)}  # fmt: skip
    assert read(state, **bounds) == days("2026-09-01", "2026-09-09")
    assert state["days"][""] == {"through": "2026-11-20"}


def test_the_newest_day_may_lie_back() -> None:
    plan = Plan(recent=1, settling=3, history=4, most=9, behind=2)
    state: dict[str, Any] = {}
    assert read(state, plan=plan) == days("2026-11-15", "2026-11-18")
    assert read(state, plan=plan) == days("2026-11-18", "2026-11-18")


def test_what_the_platform_keeps_no_more_is_not_asked_for() -> None:
    plan = Plan(recent=1, settling=2, history=30, most=99, reach=10)
    bounds = {
        "since": datetime(2025, 1, 1, tzinfo=UTC),
        "until": datetime(2026, 11, 14, tzinfo=UTC),
    }
    assert read({}, plan=plan) == days("2026-11-11", "2026-11-20")
    assert read({}, plan=plan, start=date(2020, 1, 1)) == days("2026-11-11", "2026-11-20")
    assert read({}, plan=plan, **bounds) == days("2026-11-11", "2026-11-13")


@given(
    st.integers(1, 9), st.integers(1, 40), st.integers(1, 60), st.integers(1, 40),
    st.integers(0, 6), st.integers(0, 72),
)  # fmt: skip
def test_wherever_it_is_stopped_no_day_is_left_out(
    recent: int, settling: int, history: int, most: int, stop_after: int, hours: int
) -> None:
    plan = Plan(recent, settling, history, most)
    state: dict[str, Any] = {}
    window = Window(options=SimpleNamespace(since=None), now=NOW, cursor={})
    found = []
    for number, span in enumerate(spans(state, window, ZONE, plan)):
        if number == stop_after:
            break
        found += days_of(span)
        state_then = json.loads(json.dumps(state))
    else:
        state_then = state
    if not stop_after:
        state_then = {}
    later = NOW + timedelta(hours=hours)
    found += read(state_then, later, plan)
    today = later.astimezone(ZONE).date()
    whole = days_of((date(2026, 11, 20) - timedelta(days=history - 1), today))
    missing = set(whole) - set(found)
    assert not missing or (not stop_after and max(missing) < today - timedelta(days=history - 1))
    assert state_then["days"][""]["through"] == str(today)
