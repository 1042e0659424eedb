"""What is merged as columns gives the bytes that settling row by row, one after another, gives."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from observations import START, at, objects, seen
from thorough import tries

from muster.lake import parquet
from muster.lake.cells import Cells, month
from muster.lake.merge import PART_BYTES, Observed, merge
from muster.lake.settle import Seen, settle
from muster.records import (
    TABLE_OF,
    TABLES,
    AdSpend,
    Deletion,
    Member,
    Message,
    Order,
    Review,
    Row,
    SurveyResponse,
    Thread,
)
from muster.store import FolderStore

# What fails is told as it was found: each is many merges, not made smaller for minutes.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
_NUMBERS = st.integers(0, 2)
_TEXTS = st.sampled_from([None, "", "a", "b", "ü 🙂"])
_TAGS = st.sampled_from([(), ("x",), ("x", "y")])
_INSTANTS = st.sampled_from([None, at(3), at(900)])
_COUNTS = st.sampled_from([None, 0, 7])
_LIKES = st.sampled_from([0.0, -0.0, 0.5])


def _when(number: int) -> datetime:
    """When a thing was made: it never changes, and some lie in the next month."""
    return START + timedelta(days=14 * number)


@st.composite
def messages(draw: st.DrawFn) -> Message | Deletion:
    number = draw(_NUMBERS)
    made: dict[str, Any] = {"message_id": f"m{number}", "created_at": _when(number)}
    if draw(st.integers(0, 4)) == 0:
        return Deletion(**made, deleted_at=at(draw(_NUMBERS)))
    return Message(
        **made,
        thread_id="t",
        author_role=draw(st.sampled_from(["member", "staff"])),
        deleted_at=draw(_INSTANTS),
        tags=draw(_TAGS),
        lang=draw(st.sampled_from([None, "en", "de"])),
        text=draw(_TEXTS),
        views=draw(_COUNTS),
        sentiment=draw(st.none() | _LIKES),
    )


def _kinds() -> list[st.SearchStrategy[Any]]:
    money = st.sampled_from([Decimal("1"), Decimal("1.00004"), Decimal("2")])
    return [
        messages(),
        st.builds(
            lambda n, **more: Member(member_id=f"a{n}", **more), _NUMBERS,
            handle=_TEXTS, display_name=_TEXTS, is_bot=st.booleans(), joined_at=_INSTANTS,
            groups=st.none() | _TAGS, platform_roles=st.none() | _TAGS,
        ),
        st.builds(
            lambda n, **more: Thread(thread_id=f"t{n}", created_at=_when(n), **more), _NUMBERS,
            title=_TEXTS, tags=_TAGS, solved_at=_INSTANTS, views=_COUNTS,
        ),
        st.builds(
            lambda n, **more: SurveyResponse(
                response_id=f"r{n}", created_at=_when(n), survey="csat", score_max=5, **more
            ), _NUMBERS,
            score=st.sampled_from([1, 1.0, 2.5]), comment=_TEXTS, deleted_at=_INSTANTS,
        ),
        st.builds(
            lambda n, **more: Review(
                review_id=f"r{n}", created_at=_when(n), rating=3.0, rating_max=5.0, **more
            ), _NUMBERS,
            text=_TEXTS, sentiment=st.none() | _LIKES, deleted_at=_INSTANTS,
        ),
        st.builds(
            lambda n, segment, **more: AdSpend(
                campaign_id=f"c{n}", date=_when(n).date(), segment=segment, currency="EUR", **more
            ), _NUMBERS, st.sampled_from(["all", "x"]),
            spend=money, leads=_COUNTS, revenue=st.none() | money,
        ),
        st.builds(
            lambda n, **more: Order(
                order_id=f"o{n}", customer_id="c", created_at=_when(n), currency="EUR", **more
            ), _NUMBERS,
            revenue=money, cost=st.none() | money, refunded_at=_INSTANTS,
        ),
    ]  # fmt: skip


@st.composite
def observations(draw: st.DrawFn) -> list[list[Observed]]:
    """Batches of rows of one table or two, most seen again, as they were or hardly changed."""
    kinds = draw(st.lists(st.sampled_from(_kinds()), min_size=1, max_size=2))
    rows = draw(st.lists(st.one_of(kinds), min_size=1, max_size=5))
    rows += [draw(_hardly_changed(row, rows)) for row in rows]
    observed = st.tuples(st.sampled_from(rows), st.integers(0, 4).map(seen))
    return draw(st.lists(st.lists(observed, max_size=6), min_size=2, max_size=5))


@st.composite
def _hardly_changed(draw: st.DrawFn, row: Row | Deletion, others: list[Any]) -> Row | Deletion:
    """A row with one column as another row of its kind has it; its key and month stay."""
    if isinstance(row, Deletion):
        return row
    table = TABLES[TABLE_OF[type(row)]]
    names = {field.name for field in fields(row)} - {*table.key, table.month}
    other = draw(st.sampled_from([one for one in others if type(one) is type(row)]))
    name = draw(st.sampled_from(sorted(names)))
    return replace(row, **{name: getattr(other, name)})


def derive(told: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
    """Works out what is missing of the text."""
    known = zip(told["text"], told["sentiment"], strict=True)
    scores = [len(t) / 8 if t and score is None else score for t, score in known]
    return {**told, "sentiment": scores}


def row_by_row(batches: Sequence[Sequence[Observed]]) -> dict[str, bytes]:
    """The objects that observations make if each is settled by itself."""
    found: dict[str, dict[Any, Cells]] = {}
    for batch in batches:
        touched = set()
        for row, observed_at in sorted(batch, key=lambda pair: pair[1]):
            table = TABLES["messages" if isinstance(row, Deletion) else TABLE_OF[type(row)]]
            level = f"/month={month(table, row)}" if table.month else ""
            folder = f"tables/{table.name}/source=s{level}"
            key = tuple(getattr(row, name) for name in table.key)
            rows = found.setdefault(folder, {})
            if after := settle(table, rows.get(key), Seen(row, observed_at)):
                rows[key] = after
                touched.add((folder, key))
        for folder, key in touched:
            if TABLES[folder.split("/")[1]].derived:
                found[folder][key] = _derived(found[folder][key])
    return {
        f"{folder}/part-0.parquet": _encoded(folder, rows) for folder, rows in found.items() if rows
    }


def _derived(row: Cells) -> Cells:
    told = derive({name: [row[name]] for name in ("text", "sentiment")})
    return row | {"sentiment": told["sentiment"][0]}


def _encoded(folder: str, rows: dict[Any, Cells]) -> bytes:
    table = TABLES[folder.split("/")[1]]
    return parquet.encode(table, parquet.arrow(table, list(rows.values())), limit=PART_BYTES)


@settings(max_examples=tries(100, 5_000), deadline=None, phases=_PHASES)
@given(observations())
def test_merged_bytes_are_those_of_settling_row_by_row(batches: list[list[Observed]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        for batch in batches:
            merge(store, "s", batch, derive=derive)
        assert objects(store) == row_by_row(batches)


_ANSWER = SurveyResponse(
    response_id="r", created_at=_when(0), survey="csat", score=1.0, score_max=5.0, comment="a"
)
_MEMBER = Member(member_id="a", handle="ann", groups=("x",))
_MESSAGE = Message(
    message_id="m", thread_id="t", created_at=_when(0), text="a", lang="en", sentiment=0.5
)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (replace(_ANSWER, deleted_at=at(3)), _ANSWER, 0),  # what was taken back stays so
        (_MEMBER, replace(_MEMBER, groups=("x", "y")), 1),
        (_MEMBER, replace(_MEMBER, groups=None), 0),  # a null is no news of a member
        (_MEMBER, replace(_MEMBER), 0),
        (_MEMBER, replace(_MEMBER, location="Ulm"), 1),
        (_ANSWER, replace(_ANSWER, comment=None), 1),
        (_MESSAGE, replace(_MESSAGE, lang=None, sentiment=None), 0),  # worked out of the same text
        (replace(_ANSWER, comment=None), replace(_ANSWER, comment=None), 0),
    ],
)
def test_a_row_seen_again_later(before: Row, after: Row, changed: int, tmp_path: Path) -> None:
    store, table = FolderStore(tmp_path), TABLE_OF[type(before)]
    merge(store, "s", [(before, seen(1))])
    assert merge(store, "s", [(after, seen(2))]) == {table: changed}
    assert objects(store) == row_by_row([[(before, seen(1))], [(after, seen(2))]])


def test_of_several_rows_seen_again_only_the_changed_ones_change(tmp_path: Path) -> None:
    store, other = FolderStore(tmp_path), Member(member_id="b", handle="bob")
    first = [(_MEMBER, seen(1)), (other, seen(1))]
    again = [(_MEMBER, seen(2)), (replace(other, location="Ulm", groups=("y",)), seen(2))]
    merge(store, "s", first)
    assert merge(store, "s", again) == {"members": 1}
    assert objects(store) == row_by_row([first, again])


@pytest.mark.parametrize("is_deleted_last", [True, False])
def test_of_what_was_seen_at_one_instant_the_last_counts(
    is_deleted_last: bool, tmp_path: Path
) -> None:
    gone = Deletion(message_id="m", created_at=_when(0), deleted_at=at(3))
    batch: list[Observed] = [(_MESSAGE, seen(1)), (gone, seen(1))]
    batch = batch if is_deleted_last else batch[::-1]
    merge(store := FolderStore(tmp_path), "s", batch)
    assert objects(store) == row_by_row([batch])
    (data,) = objects(store).values()
    rows = parquet.decode(TABLES["messages"], data, "").rows
    assert (rows["deleted_at"][0].as_py() is not None) == is_deleted_last
