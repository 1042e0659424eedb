"""Newest-first streams: marks, walks that resume, backfills, and when known messages are due."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.errors import Rejected, Unavailable
from muster.records import KnownMessage
from muster.settings import Source
from muster.sources import Window
from muster.sources._answer import Answer
from muster.sources._downward import downward
from muster.sources._newest import (
    Stream,
    begin,
    finish,
    follow,
    instant,
    page,
    recheck,
    stamp,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPTIONS = Source(name="test", platform="test")
Items = list[dict[str, Any]]


@dataclass
class Server:
    """A list that grows at its front, served two items a page; tokens name the next older item."""

    ages: list[int]  # minutes before NOW
    page_size: int = 2
    refused: set[str] = field(default_factory=set)
    refuses_with: Exception = field(default_factory=lambda: Rejected("bad token", 400))
    asked: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)

    def ask(self, asked: Mapping[str, Any], token: str | None) -> Answer:
        self.asked.append((dict(asked), token))
        if token in self.refused:
            raise self.refuses_with
        after, upto = asked.get("since_id", ""), token or "9"
        found = [item for item in self.items if after < item["id"] < upto]
        more = len(found) > self.page_size
        body = {"items": found[: self.page_size]}
        body["next"] = found[self.page_size - 1]["id"] if more else None
        return Answer(body, 200, {}, NOW)

    @property
    def items(self) -> Items:
        found = [NOW - timedelta(minutes=age) for age in self.ages]
        return [{"id": stamp(at), "at": stamp(at)} for at in sorted(found, reverse=True)]


def stream(server: Server, settled: datetime = NOW) -> Stream:
    return Stream(
        "posts",
        server.ask,
        lambda answer: (answer.body["items"], answer.body["next"]),
        lambda item: [item["at"], item["id"]],
        lambda mark: {"since_id": mark[1]} if mark else {},
        settled=stamp(settled),
    )


def window(cursor: Any = None, **bounds: Any) -> Window:
    return Window(bounds.pop("options", OPTIONS), NOW, cursor or {}, **bounds)


def mark_of(cursor: Any) -> Any:
    return cursor.get("streams", {}).get("posts", {}).get("mark")


def fetch(
    server: Server, cursor: Any = None, stop_after: int | None = None, **bounds: Any
) -> tuple[set[str], dict[str, Any]]:
    """Ids read and the last cursor, through JSON as the lake keeps it."""
    settled = bounds.pop("settled", NOW)
    asked = window(cursor, **bounds)
    state, read, last = begin(asked), set(), cursor or {}
    for number, step in enumerate(follow(state, stream(server, settled), asked)):
        if number == stop_after:
            return read, last
        read |= {item["id"] for item in step.items}
        last = json.loads(json.dumps(page(state).cursor))
    return read, json.loads(json.dumps(finish(state).cursor))


def ids(*ages: int) -> set[str]:
    return {stamp(NOW - timedelta(minutes=age)) for age in ages}


def test_only_what_is_new_is_asked_for() -> None:
    server = Server([50, 60, 70])
    read, cursor = fetch(server)
    assert read == ids(50, 60, 70)
    server.ages += [40]
    read, _ = fetch(server, cursor)
    assert read == ids(40)


def test_what_may_still_change_is_read_again() -> None:
    server = Server([10, 50])
    _, cursor = fetch(server, settled=NOW - timedelta(minutes=35))
    assert fetch(server, cursor)[0] == ids(10)


def test_the_mark_waits_for_the_end_of_the_walk() -> None:
    server = Server([10, 20, 30, 40, 50])
    read, cursor = fetch(server, stop_after=1)
    assert read == ids(10, 20)
    assert mark_of(cursor) is None
    assert fetch(server, cursor)[0] >= ids(30, 40, 50)


def test_a_resumed_fetch_reads_what_came_meanwhile() -> None:
    server = Server([10, 20, 30, 40, 50])
    _, cursor = fetch(server, stop_after=1)
    server.ages += [1, 2]
    read, cursor = fetch(server, cursor)
    assert read == ids(1, 2, 30, 40, 50)
    assert fetch(server, cursor)[0] == set()


@pytest.mark.parametrize("error", [Rejected("bad token", 400), Unavailable("bad token, as a 500")])
def test_a_refused_token_costs_a_new_start(error: Exception) -> None:
    server = Server([10, 20, 30], refuses_with=error)
    _, cursor = fetch(server, stop_after=1)
    server.refused = {cursor["streams"]["posts"]["walk"]["token"]}
    server.page_size = 3
    assert fetch(server, cursor)[0] == ids(10, 20, 30)


def test_a_lasting_fault_is_not_taken_for_a_bad_token() -> None:
    server = Server([10, 20, 30])
    _, cursor = fetch(server, stop_after=1)
    server.refused = {cursor["streams"]["posts"]["walk"]["token"], None}  # type: ignore[arg-type]
    with pytest.raises(Rejected):
        fetch(server, cursor)


def test_a_backfill_that_is_over_may_be_asked_for_again() -> None:
    server = Server([10, 20])
    since = NOW - timedelta(days=2)
    _, cursor = fetch(server, since=since)
    assert not cursor["streams"]["posts"].get("done")


def test_a_checkpointed_backfill_does_not_repeat_a_finished_stream() -> None:
    server = Server([10, 20])
    asked = window(since=NOW - timedelta(days=2), until=NOW)
    state = begin(asked)
    list(follow(state, stream(server), asked))
    again = begin(window(page(state).cursor))
    assert list(follow(again, stream(server), asked)) == []


def test_a_window_in_the_past_moves_no_mark() -> None:
    server = Server([10, 20])
    _, cursor = fetch(server, since=NOW - timedelta(days=9), until=NOW - timedelta(days=8))
    assert mark_of(cursor) is None


def test_a_backfill_that_leaves_a_gap_moves_no_mark() -> None:
    server = Server([10, 4000])
    before = {"streams": {"posts": {"mark": [stamp(NOW - timedelta(days=3)), "x"]}}}
    _, cursor = fetch(server, before, since=NOW - timedelta(days=1))
    assert mark_of(cursor) == ["2026-11-17T12:00:00.000000+00:00", "x"]


def test_a_backfill_never_moves_a_mark_back() -> None:
    server = Server([5000])
    before = {"streams": {"posts": {"mark": [stamp(NOW), "9"]}}}
    server.ask = lambda asked, token: Answer({"items": server.items, "next": None}, 200, {}, NOW)  # type: ignore[method-assign]
    _, cursor = fetch(server, before, since=NOW - timedelta(days=9))
    assert mark_of(cursor) == [stamp(NOW), "9"]


def test_the_start_in_the_settings_is_no_backfill() -> None:
    server = Server([10, 20])
    options = OPTIONS.model_copy(update={"since": date(2026, 11, 1)})
    since = datetime(2026, 10, 31, 23, tzinfo=UTC)  # midnight in Berlin
    _, cursor = fetch(server, options=options, since=since)
    assert fetch(server, cursor, options=options, since=since)[0] == set()


def test_an_item_with_a_time_to_come_hides_nothing_that_comes_after_it() -> None:
    """A feed's announcement, or a server of a federation with a clock of its own."""
    server = Server([-525_600, 50, 60])
    overlap = timedelta(minutes=1)

    def fetched(cursor: Mapping[str, Any]) -> tuple[set[str], dict[str, Any]]:
        window, state = Window(OPTIONS, NOW, cursor), begin(Window(OPTIONS, NOW, cursor))
        read = stream(server)
        newest = downward("posts", lambda asked, token: server.ask({}, token), read.read,
                          read.place, window, overlap)  # fmt: skip
        return {one["at"] for step in follow(state, newest, window) for one in step.items}, state

    _, state = fetched({})
    assert state["streams"]["posts"]["mark"][0] == stamp(NOW - timedelta(minutes=50))
    server.ages += range(10)
    wanted = {one["at"] for one in server.items if one["at"] > stamp(NOW - timedelta(minutes=50))}
    assert fetched(state)[0] >= wanted
    state["streams"]["posts"]["mark"] = [stamp(NOW + timedelta(days=365)), "as once written"]
    assert fetched(state)[0] >= wanted


def test_an_item_of_unknown_shape_does_not_stop_a_stream() -> None:
    server = Server([10])
    state = begin(window())
    odd = Answer({"items": [None, 7, {"at": 3}], "next": None}, 200, {}, NOW)
    strange = Stream("posts", lambda asked, token: odd, lambda answer: (answer.body["items"], None),
                     lambda item: [item["at"], item["id"]], lambda mark: {})  # fmt: skip
    assert [step.items for step in follow(state, strange, window())] == [odd.body["items"]]
    assert server.items


@given(
    ages=st.sets(st.integers(1, 5000), max_size=12),
    stops=st.lists(st.integers(0, 3), max_size=5),
    arrivals=st.sets(st.integers(-50, 0), max_size=4),
)
def test_stopped_anywhere_any_number_of_times_nothing_is_lost(
    ages: set[int], stops: list[int], arrivals: set[int]
) -> None:
    server, cursor, read = Server(list(ages)), None, set()
    late = sorted(arrivals, reverse=True)
    for stop in stops:
        found, cursor = fetch(server, cursor, stop_after=stop)
        read |= found
        server.ages += [late.pop(0)] if late else []
    server.ages += late
    read |= fetch(server, cursor)[0]
    assert read == {item["id"] for item in server.items}


def test_the_given_cursor_is_never_changed() -> None:
    server = Server([10, 20, 30])
    _, cursor = fetch(server)
    before = json.dumps(cursor)
    server.ages += [1]
    fetch(server, cursor)
    assert json.dumps(cursor) == before


def known(days: float, name: str = "") -> KnownMessage:
    return KnownMessage(name or f"m{days}", "t", NOW - timedelta(days=days))


def looked_at(
    cursor: Any, messages: list[KnownMessage], at: datetime = NOW, size: int = 100
) -> tuple[list[list[str]], list[dict[str, Any]]]:
    asked = Window(OPTIONS, at, cursor,
                   known=lambda since: (m for m in messages if m.created_at >= since))  # fmt: skip
    state, batches, cursors = begin(asked), [], []
    for batch in recheck(state, asked, size):
        batches.append([message.message_id for message in batch])
        cursors.append(json.loads(json.dumps(page(state).cursor)))
    return batches, [*cursors, json.loads(json.dumps(page(state).cursor))]


def test_messages_are_looked_at_on_days_1_3_7_and_30() -> None:
    messages = [known(days / 4) for days in range(160, 0, -1)]
    seen: list[str] = []
    cursor: dict[str, Any] = {"checked": stamp(NOW - timedelta(days=40))}
    for day in range(0, 31):
        batches, cursors = looked_at(cursor, messages, NOW + timedelta(days=day))
        cursor = cursors[-1]
        seen += sum(batches, [])
    assert seen.count("m0.25") == 4
    assert looked_at({"checked": stamp(NOW - timedelta(days=1))}, [known(2), known(3.5)])[0] == [
        ["m3.5"]
    ]


def test_known_messages_are_looked_at_once_a_day() -> None:
    _, cursors = looked_at({}, [known(1.5)])
    assert looked_at(cursors[-1], [known(1.5)], NOW + timedelta(hours=3))[0] == []


def test_a_look_that_was_stopped_goes_on_where_it_was() -> None:
    messages = [known(3.5, "a"), known(3.5, "b"), known(3.2, "c"), known(1.5, "d")]
    batches, cursors = looked_at({}, messages, size=1)
    assert sum(batches, []) == ["a", "b", "c", "d"]
    rest, _ = looked_at(cursors[1], messages, NOW + timedelta(hours=1), size=1)
    assert sum(rest, []) == ["c", "d"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-15T12:00:00.000Z", datetime(2024, 1, 15, 12, tzinfo=UTC)),
        ("2024-01-15T13:00:00.123456789+01:00", datetime(2024, 1, 15, 12, 0, 0, 123456, UTC)),
        ("2024-01-15T12:00:00", datetime(2024, 1, 15, 12, tzinfo=UTC)),
    ],
)
def test_times_of_platforms(text: str, expected: datetime) -> None:
    assert instant(text) == expected


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_stamps_sort_by_time(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) == (one < other)
