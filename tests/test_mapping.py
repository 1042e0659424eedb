"""Items become rows one by one; what has none, or does not fit, is refused alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from muster.lake import raw
from muster.lake.gathered import gathered
from muster.lake.observed import sighted
from muster.lake.parquet import PLACE
from muster.pipeline.mapping import Mapped, mapped, mapper, reader
from muster.pipeline.repeats import Repeats
from muster.records import Item, Member
from muster.sources import discourse

NOW = datetime(2026, 11, 24, 12, 0, 0, 250, tzinfo=UTC)
FORUM = discourse.Options(name="forum", platform="discourse", base_url="https://forum.example.org")
TOPIC = {"id": 1, "title": "Wi-Fi 🙂", "created_at": "2026-11-01T08:00:00Z", "views": 3}


def topic(**changed: Any) -> Item:
    return Item("topic", TOPIC | changed, NOW, {"channel": "Help"})


UNMAPPABLE = topic(id="one")
UNFIT = topic(id=2, title="half \ud83d", views=2**70)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)])
def test_what_is_refused_is_refused_alone_with_its_reason(order: tuple[int, ...]) -> None:
    items = [[topic(), UNMAPPABLE, UNFIT, topic(id=4)][at] for at in order]
    rows, refused = mapped(FORUM, items)
    assert sorted(row.thread_id for row, _ in rows) == ["1", "4"]  # type: ignore[union-attr]
    assert {at for _, at in rows} == {NOW}
    told = {item.body["id"]: reason for item, reason in refused}
    assert all(item in (UNMAPPABLE, UNFIT) for item, _ in refused)
    assert told.keys() == {"one", 2}
    assert "no id" in told["one"]
    assert "views" in told[2]


def test_what_is_read_gives_the_same_rows_and_its_items_come_back_from_their_lines() -> None:
    items = [topic(), UNMAPPABLE, UNFIT, topic(id=4)]
    read = reader()(list(map(mapper(FORUM), items)))
    rows, refused = mapped(FORUM, items)
    (found,), (expected,) = read.found, sighted(gathered(rows))
    assert found.rows.drop_columns([PLACE]) == expected.rows.drop_columns([PLACE])
    assert read.refused == refused
    assert read.count == len(items)
    assert [raw.item_of(line) for _, lines in read.lines for line in raw.split(lines)] == items


def test_a_fault_of_a_mapping_costs_one_item_and_its_page_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page is read before it is stored: no fault of ours may keep it from raw."""
    rows_of = discourse.rows

    def faulty(item: Item, options: Any) -> Any:
        assert item.body["id"] != 4, "nobody thought of a fourth"
        return rows_of(item, options)

    monkeypatch.setattr(discourse, "rows", faulty)
    rows, [(refused, reason)] = mapped(FORUM, [topic(), topic(id=4), topic(id=5)])
    assert [row.thread_id for row, _ in rows] == ["1", "5"]  # type: ignore[union-attr]
    assert refused.body["id"] == 4 and "nobody thought of a fourth" in reason


def test_an_account_told_beside_what_was_refused_is_no_repeat() -> None:
    post = {"id": 5, "post_type": 1, "post_number": 1, "topic_id": 1, "user_id": 7, "raw": "Hi",
            "username": "ann", "created_at": "2026-11-01T08:00:00Z"}  # fmt: skip
    unfit, fine = (Item("post", post | {"reads": reads}, NOW) for reads in (2**70, 3))
    read, hold = reader(Repeats()), mapper(FORUM)
    assert not read([hold(unfit)]).found
    found = [read([hold(fine)]).found for _ in range(2)]
    assert [[one.table.name for one in its] for its in found] == [
        ["messages", "members"], ["messages"],
    ]  # fmt: skip


def test_rows_that_fit_only_one_by_one_are_taken_and_remembered_like_others() -> None:
    """A hash is looked at row by row, as it must not be an address."""
    read = reader(Repeats())
    first, second, wrong = (
        Mapped(NOW, raw.encoded(topic()), [Member(member_id=number, email_hash=told)])
        for number, told in (("1", "0" * 64), ("2", "1" * 64), ("3", "ann@mail.example"))
    )
    told = [read(its) for its in ([first], [first, second], [wrong])]
    assert [[len(one.rows) for one in its.found] for its in told] == [[1], [1], []]
    assert [reason for _, reason in told[2].refused] == [
        "email_hash must be 64 hexadecimal digits: never write an address there"
    ]
