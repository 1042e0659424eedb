"""By which it is told whether an old period can move by time alone, against plain Python."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from test_keeping import FIRST, SEEN, SOURCES, WEEK, Life, measured, only

from muster.kpis import engine
from muster.lake.merge import merge
from muster.store import FolderStore


def test_what_is_kept_of_waits_is_what_conversations_say(tmp_path, monkeypatch):
    only(monkeypatch, "first_response_p90", "first_response_business_median")
    life, lake = Life(2), tmp_path / "lake"
    for week in (4, 5):
        now = FIRST + week * WEEK
        said = [one for _ in range(6 if week == 4 else 1) for one in life.week(now)]
        for source in SOURCES:
            rows = ((row, now - SEEN) for at, row in said if at == source)
            merge(FolderStore(lake), source, rows)
        if week == 4:
            measured(lake, now)
            issues = conversations_as_dicts(lake)
    connection = engine.connect(str(lake))
    measured(lake, now, connection)
    sql = "select day, clock, waited from waiting_days order by day, clock"
    found = connection.execute(sql).fetchall()
    pieces = "select start_at, end_at from work_pieces where calendar = 0 and is_working"
    working = connection.execute(pieces).fetchall()
    assert len(found) > 15
    for day, clock, waited in found:
        opened = [it for it in issues if it["opened_day"] == day]
        told = shortest_waits(opened, FIRST + 4 * WEEK, working)
        assert waited == pytest.approx(told[clock])
    by_day = {(day, clock): waited for day, clock, waited in found}
    assert any(by_day[day, "resolution"] != by_day[day, "first_response"] for day, _ in by_day)


def conversations_as_dicts(lake: Path) -> list[dict[str, Any]]:
    answer = engine.ask(str(lake), "select * from conversations where issue_kind is not null")
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def shortest_waits(
    issues: list[dict[str, Any]], run: datetime, working: list
) -> dict[str, float | None]:
    """By clock, how long at a run those had waited who still did, in plain Python."""
    before = run.replace(tzinfo=None)
    shown = sum((min(end, before) - start).total_seconds() for start, end in working
                if start < before)  # fmt: skip

    def stood(*ends: str) -> list[dict[str, Any]]:
        return [it for it in issues if not any(it[end] for end in ends)]

    def age(issue: dict[str, Any]) -> float:
        return (before - issue["opened_at"]).total_seconds()

    waiting, still = stood("first_response_at", "resolved_at"), stood("resolved_at", "escalated_at")
    business = [shown - it["opened_clock"] for it in waiting]
    return {
        "first_response": min(map(age, waiting), default=None),
        "first_response_business": min(business, default=None),
        "resolution": min(map(age, still), default=None),
    }
