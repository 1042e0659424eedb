"""Who is new, and when, where a measuring goes on from the one before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from test_keeping import FIRST, WEEK, afresh, measured, only, say, told

from muster.kpis import engine, measuring
from muster.lake import person_ids
from muster.lake.merge import merge
from muster.records import Deletion, Member
from muster.store import FolderStore


@pytest.fixture(autouse=True)
def strictly(monkeypatch):
    """To count from scratch after all would hide what a run that went on got wrong."""
    only(monkeypatch, "new_members", "active_members", "new_member_retention")
    go_on = measuring.Run.go_on

    def goes_on(*arguments):
        assert go_on(*arguments)
        return True

    monkeypatch.setattr(measuring.Run, "go_on", goes_on)


def new_on(lake: Path, run: datetime) -> set[date]:
    return {
        one.period_start for one in measured(lake, run).values
        if (one.kpi, one.grain) == ("new_members", "day") and one.value
    }  # fmt: skip


def test_who_joins_between_two_runs_is_new_though_their_row_is_old(tmp_path):
    lake, joined = tmp_path / "lake", FIRST + timedelta(days=9)
    say(lake, FIRST, "t1", "member")
    someone = Member(
        member_id="m1", handle="m1", joined_at=joined, role="member", last_seen_at=FIRST
    )
    merge(FolderStore(lake), "desk", [(someone, FIRST)])
    assert new_on(lake, FIRST + WEEK) == {FIRST.date()}
    assert new_on(lake, FIRST + 2 * WEEK) == {FIRST.date(), joined.date()}


def test_who_writes_for_the_first_time_is_new_and_who_turns_out_to_be_staff_is_not(tmp_path):
    lake, joined, wrote = (tmp_path / "lake", *(FIRST + timedelta(days=n) for n in (1, 10)))
    say(lake, FIRST, "t1", "member")
    for handle, seen in (("m9", FIRST), ("boss", FIRST + timedelta(days=9))):
        row = Member(
            member_id="m9", handle=handle, joined_at=joined, role="member", last_seen_at=seen
        )
        merge(FolderStore(lake), "desk", [(row, seen)])
        if handle == "m9":
            assert new_on(lake, FIRST + WEEK) == {FIRST.date(), joined.date()}
    say(lake, wrote, "t2", "member Ann")
    assert new_on(lake, FIRST + 2 * WEEK) == {FIRST.date(), wrote.date()}


def test_who_is_new_moves_with_the_first_message(tmp_path):
    """An older one that came late, and then is deleted: three runs, three days or two."""
    lake, later = tmp_path / "lake", FIRST + timedelta(days=3)
    say(lake, FIRST - timedelta(days=9), "t0", "staff")  # the lake knows of days before
    say(lake, later, "t1", "member")
    assert new_on(lake, FIRST + WEEK) == {later.date()}
    older = say(lake, FIRST, "t2", "member", seen=FIRST + timedelta(days=8))
    assert new_on(lake, FIRST + 2 * WEEK) == {FIRST.date()}
    when = FIRST + timedelta(days=15)
    gone = Deletion(message_id=older.message_id, created_at=FIRST, deleted_at=when)
    merge(FolderStore(lake), "desk", [(gone, when)])
    assert new_on(lake, FIRST + 3 * WEEK) == {later.date()}


def test_whose_accounts_are_told_apart_or_joined_is_counted_again(tmp_path):
    """Two accounts of one person; then the first is another's, and the second stays. A third is
    another's too, of whom nothing else is known."""
    lake, later = tmp_path / "lake", FIRST + timedelta(days=3)
    for at, who in ((FIRST, "member a"), (later, "member b"), (later, "member c")):
        say(lake, at, who, who)
    for person, other, seen in (("p1", "p3", FIRST), ("p2", "p4", FIRST + timedelta(days=9))):
        owners = {"member a": person, "member b": "p1", "member c": other}
        rows = [
            Member(member_id=who, handle=who, role="member", person_id=owner, last_seen_at=FIRST)
            for who, owner in owners.items()
        ]
        merge(FolderStore(lake), "desk", [(row, seen) for row in rows])
        outcome = measured(lake, seen + WEEK)
        assert told(outcome) == told(afresh(lake, seen + WEEK)[0])
    assert new_on(lake, FIRST + 3 * WEEK) == {FIRST.date(), later.date()}


TWO = ("member a", "member b")


def two_speak(lake: Path, after: timedelta, *threads: str) -> None:
    """Each of two accounts writes into a thread, the second so long after the first."""
    for at, who, thread in zip((FIRST, FIRST + after), TWO, threads, strict=True):
        say(lake, at, thread, who)
        row = Member(member_id=who, handle=who, role="member", last_seen_at=FIRST)
        merge(FolderStore(lake), "desk", [(row, FIRST)])


def decided(lake: Path) -> Iterator[datetime]:
    """When to measure: before `muster people` says that the two are one, with it, and undone.

    It writes that into rows that nobody observes anew.
    """
    one = {("desk", who): "muster:1" for who in TWO}
    for week, ids in ((2, {}), (4, one), (6, {})):
        person_ids.apply(FolderStore(lake), ids)
        yield FIRST + week * WEEK


def test_a_decision_that_two_accounts_are_one_person_counts_and_its_undoing_too(tmp_path):
    lake, later = tmp_path / "lake", timedelta(days=10)
    two_speak(lake, later, "t1", "t2")
    both = {FIRST.date(), (FIRST + later).date()}
    assert [new_on(lake, run) for run in decided(lake)] == [both, {FIRST.date()}, both]


def test_who_turns_out_to_be_the_one_who_asked_has_answered_nobody(tmp_path):
    """Their messages are counted again, though nothing else of their thread has changed."""
    lake, found = tmp_path / "lake", []
    two_speak(lake, timedelta(hours=1), "t1", "t1")
    for run in decided(lake):
        measured(lake, run)
        ((at,),) = engine.ask(str(lake), "select first_peer_answer_at from conversations").rows
        found.append(at is not None)
    assert found == [True, False, True]


def test_who_is_found_late_to_have_been_new_counts_in_the_period_after_too(tmp_path):
    lake, week = tmp_path / "lake", FIRST + 10 * WEEK
    for days in (0, 8):
        say(lake, FIRST + timedelta(days=days), f"t{days}", "member")
    measured(lake, week)
    say(lake, FIRST + timedelta(days=1), "late", "member Zoe", seen=week + timedelta(days=1))
    outcome = measured(lake, week + WEEK)
    assert told(outcome) == told(afresh(lake, week + WEEK)[0])
    (stayed,) = (
        (one.value, one.n) for one in outcome.values
        if (one.kpi, one.grain) == ("new_member_retention", "week")
        and one.period_start == (FIRST + WEEK).date()
    )  # fmt: skip
    assert stayed == (0.5, 2)
