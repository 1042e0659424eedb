"""How many there were on each day, from what came and went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from forum import START
from forum_lake import DAY, HOUR, Lake, forum_of
from hypothesis import given
from hypothesis import strategies as st

from muster.sources._gains import by_day

FIRST = date(2026, 11, 1)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1), st.integers(0, 999))
def test_going_back_and_forth_again_ends_at_the_count_of_now(
    changes: list[tuple[int, int]], begun: int
) -> None:
    """Against a walk forwards from the first day, as long as nobody leaves who was not there."""
    sizes, size = {}, begun + sum(lost for _, lost in changes)
    told = []
    for number, (gained, lost) in enumerate(changes):
        size += gained - lost
        sizes[FIRST + timedelta(days=number)] = size
        told.append((FIRST + timedelta(days=number), gained, lost))
    rows = list(by_day("us", "members", told, {"counted": {}, "now": size}))
    assert {row.measured_on: row.value for row in rows} == sizes
    assert {row.measured_on: (row.gained, row.lost) for row in rows} == {
        day: (gained, lost) for day, gained, lost in told
    }


def members(lake: Lake) -> Mapping[Any, Any]:
    return {key[4]: row["value"] for key, row in lake.rows.items() if key[0] == "audience"}


def test_a_forum_tells_how_many_members_it_had() -> None:
    forum = forum_of(3)
    forum.join(900, "late", created_at=(START - 3 * DAY).isoformat())
    lake = Lake(forum).fetch(START + 10 * HOUR)
    assert members(lake) == {date(2026, 10, 3): 3, date(2026, 10, 30): 4, date(2026, 11, 2): 4}


def test_the_report_is_read_whole_once_and_then_a_week_back_once_a_day() -> None:
    forum = forum_of(3)
    lake = Lake(forum).fetch(START + 10 * HOUR)
    lake.fetch(START + 11 * HOUR)
    lake.fetch(START + DAY + 10 * HOUR)
    asked = [url.partition("start_date=")[2][:10] for url in forum.asked if "signups" in url]
    assert asked == ["2025-11-02", "2026-10-27"]


def test_a_number_that_was_read_on_its_day_stands() -> None:
    forum = forum_of(3)
    forum.join(901, "first", created_at=START.isoformat())
    lake = Lake(forum).fetch(START + 10 * HOUR)
    del forum.users[1]  # somebody leaves, which no report tells
    forum.join(902, "second", created_at=(START + DAY).isoformat())
    lake.fetch(START + DAY + 10 * HOUR)
    assert members(lake)[date(2026, 11, 2)] == 4


def test_a_forum_whose_reports_are_not_ours_to_read_tells_today_only() -> None:
    lake = Lake(forum_of(3, is_admin=False)).fetch(START + 10 * HOUR)
    assert list(members(lake)) == [date(2026, 11, 2)]
