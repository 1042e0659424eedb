"""Whatever a platform sends: no crash, what cannot be mapped is quarantined with a reason, and
what can be is kept. Derived from the recordings: a new platform adds no line here.

``MUSTER_THOROUGH=1`` (``make test-platforms``) draws many more examples.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from editing import Change, lists
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import RECORDINGS, Recorded, items_of
from test_contract import edited, main, whole_of

from muster.errors import Rejected
from muster.pipeline.mapping import mapped
from muster.records import Item, Message, Page, Review
from muster.sources import platform_names

NAMES = [name for name in platform_names() if (RECORDINGS / f"{name}.json").exists()]
IS_THOROUGH = os.environ.get("MUSTER_THOROUGH") == "1"
ITEMS_DRAWN, FETCHES_DRAWN = (1000, 60) if IS_THOROUGH else (40, 3)
MISSING = object()
LETTERS = "🙂 שלום 𝕏 عربي e\u0301"
STRANGE = ("", LETTERS, 2**63 - 1, -(2**80), 0.1, True, [], {}, [None], "\ud800")
UNKNOWN = {"nobody_knows": {"a": [1, None, {"b": "c"}]}}

Place = tuple[str | int, ...]


@pytest.fixture(params=NAMES)
def one(request: pytest.FixtureRequest) -> Recorded:
    return recorded(request.param)


@cache
def recorded(name: str) -> Recorded:
    return Recorded(name)


@cache
def items(one: Recorded) -> tuple[Item, ...]:
    return tuple(items_of(one.pages(one.wire())))


def rows_of(one: Recorded, *of: Item) -> list[Any]:
    """The rows of items; whatever is refused has a reason."""
    rows, refused = mapped(one.options, of)
    assert all(reason.strip() for _, reason in refused)
    return [row for row, _ in rows]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where each value inside a JSON value stands."""
    inner = value.items() if isinstance(value, dict) else ()
    for key, found in enumerate(value) if isinstance(value, list) else inner:
        yield (*at, key)
        yield from places(found, (*at, key))


def changed(item: Item, at: Place, value: Any) -> Item:
    """The item with the value at a place of its body replaced or taken away."""
    body = copy.deepcopy(item.body)
    here = body
    for step in at[:-1]:
        here = here[step]
    if value is MISSING:
        del here[at[-1]]
    else:
        here[at[-1]] = value
    return Item(item.stream, body, item.seen_at, item.context)


def shapes(one: Recorded) -> Iterator[tuple[Item, Place]]:
    """Each field that any item has, once a stream and, in lists, once for all of their members."""
    seen = set()
    for item in items(one):
        for at in places(item.body):
            kind = (item.stream, *("" if isinstance(step, int) else step for step in at))
            if kind not in seen:
                seen.add(kind)
                yield item, at


def test_any_field_may_be_missing_null_or_of_another_kind(one: Recorded) -> None:
    for number, (item, at) in enumerate(shapes(one)):
        some = STRANGE if IS_THOROUGH else (STRANGE * 2)[number % 10 :][:3]
        for value in (MISSING, None, *some):
            rows_of(one, changed(item, at, value))


def test_a_body_may_be_anything(one: Recorded) -> None:
    for item in {item.stream: item for item in items(one)}.values():
        for body in (None, [], {}, "text", 7, [[]], {"id": None}):
            rows_of(one, Item(item.stream, body, item.seen_at, item.context))
        rows_of(one, Item(item.stream, item.body, item.seen_at, None))


def test_letters_of_any_script_are_kept(one: Recorded) -> None:
    kept = 0
    for item, at in shapes(one):
        for text in map(text_of, rows_of(one, changed(item, at, LETTERS))):
            if text and "שלום" in text:
                assert "🙂 שלום 𝕏 عربي" in text, at
                kept += 1
    has_text = any(text_of(row) for row in rows_of(one, *items(one)))
    assert kept or not has_text or "</" in str(items(one)[0].body)  # a whole document is no field


def text_of(row: Any) -> str | None:
    return row.text if isinstance(row, Message | Review) else None


def test_fields_nobody_knows_change_nothing(one: Recorded) -> None:
    for item in items(one):
        more = Item(item.stream, with_more(item.body), item.seen_at, item.context)
        assert rows_of(one, more) == rows_of(one, item)


def with_more(value: Any) -> Any:
    """The value with an unknown field in every object that has fixed fields.

    One whose keys all look like data (ids, dates, emoji), or that holds only lists, is a table.
    """
    if isinstance(value, dict):
        inner = {key: with_more(found) for key, found in value.items()}
        is_table = not any(key.islower() for key in inner)
        is_table = is_table or all(isinstance(found, list) for found in inner.values())
        return inner if is_table else {**inner, **UNKNOWN}
    return [with_more(found) for found in value] if isinstance(value, list) else value


def test_a_megabyte_is_a_text_like_any_other(one: Recorded) -> None:
    """The longest text of the first item that has one, and the same made of what marks a text."""
    found = next(((item, at) for item, at in shapes(one) if is_text(one, item, at)), None)
    if found is None:
        return  # a platform without texts
    for text in ("word " * 200_000, "<b>_*[`&amp;" * 90_000):
        for row in rows_of(one, changed(*found, text)):
            assert len(text_of(row) or "") <= len(text) + 1000  # a title, a poll


def is_text(one: Recorded, item: Item, at: Place) -> bool:
    texts = [text_of(row) for row in rows_of(one, changed(item, at, "muster muster"))]
    return any(text and "muster muster" in text for text in texts)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda more: (
        st.lists(more, max_size=3) | st.dictionaries(st.text(max_size=8), more, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=ITEMS_DRAWN)
@given(data=st.data())
def test_several_fields_may_be_anything(name: str, data: st.DataObject) -> None:
    one = recorded(name)
    item = items(one)[data.draw(st.integers(0, len(items(one)) - 1))]
    for _ in range(data.draw(st.integers(1, 4))):
        if found := list(places(item.body)):
            at = found[data.draw(st.integers(0, len(found) - 1))]
            item = changed(item, at, data.draw(JSON))
    rows_of(one, item)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=FETCHES_DRAWN)
@given(seed=st.integers(0, 2**32))
def test_records_may_come_in_any_order_again_and_with_gaps(name: str, seed: int) -> None:
    one, chance = recorded(name), random.Random(seed)
    rows, _ = one.rows(items_of(as_far(one, lambda body: mixed(body, chance))))
    assert unsegmented(main(rows)) <= unsegmented(main(whole_of(one)))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=FETCHES_DRAWN)
@given(seed=st.integers(0, 2**32))
def test_in_whatever_order_and_how_often_records_come_none_is_lost(name: str, seed: int) -> None:
    one, chance = recorded(name), random.Random(seed)
    wire = one.wire(edited(lambda body: shuffled(one, body, chance)), is_lenient=True)
    try:
        pages = list(one.pages(wire))
    except Rejected:
        return  # it came to ask for what the recording has no answer to
    found, _ = one.rows(items_of(pages))
    assert main(whole_of(one)) <= main(found)


def unsegmented(keys: set[Any]) -> set[Any]:
    """The keys without a day's breakdown, which may bear another name if its names are missing."""
    return {(*key[:2], *key[3:]) if key[0] in ("ad_spend", "site_traffic") else key for key in keys}


def test_records_that_come_twice_are_one(one: Recorded) -> None:
    rows, _ = one.rows(items_of(as_far(one, doubled)))
    assert main(rows) <= main(whole_of(one))


def as_far(one: Recorded, change: Change) -> Iterator[Page]:
    """The pages of a changed fetch, as far as the recording has answers to what it asks."""
    try:
        yield from one.pages(one.wire(edited(change), is_lenient=True))
    except Rejected as refused:
        assert refused.is_gone


def mixed(body: Any, chance: random.Random) -> Any:
    """The answer with the records of its outer lists shuffled, some twice, some left out."""
    body = json.loads(json.dumps(body))
    for found in list(lists(body)):
        again = [one for one in found if chance.random() < 0.3]
        kept = [one for one in found if chance.random() < 0.8]
        found[:] = chance.sample([*kept, *again], len(kept) + len(again))
    return body


def shuffled(one: Recorded, body: Any, chance: random.Random) -> Any:
    """The answer with the records of its outer lists shuffled and some twice; headings stay."""
    body = json.loads(json.dumps(body))
    headings = [body[key] for key in one.told.get("headings", ()) if key in body]
    for found in lists(body):
        if found not in headings:
            again = [record for record in found if chance.random() < 0.3]
            found[:] = chance.sample([*found, *again], len(found) + len(again))
    return body


def doubled(body: Any) -> Any:
    body = json.loads(json.dumps(body))
    for found in list(lists(body)):
        found[:] = [one for one in found for _ in range(2)]
    return body
