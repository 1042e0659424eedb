"""JSON is read and written quickly, and exactly as Python's own reader and writer do it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster import as_json

# Text with halves of surrogate pairs, integers beyond 64 bits: all that a platform may send.
TEXTS = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)  # fmt: skip


@given(value=VALUES, is_ascii=st.booleans())
def test_what_is_read_is_what_was_written(value: object, is_ascii: bool) -> None:
    if is_ascii:
        assert as_json.loads(json.dumps(value).encode()) == value
    written = as_json.dumps(value)
    assert "\n" not in written
    assert as_json.loads(written) == json.loads(written) == value


@pytest.mark.parametrize("text", ["", "{", "01", "1 2", '"\x01"', "[1,]", b"\xff", b'"\xff"'])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        as_json.loads(text)


def test_what_is_no_number_is_none() -> None:
    assert as_json.loads("[NaN, -Infinity, 1e999, 1e3, 12345678901234567890123]") == [
        None, None, None, 1000.0, 12345678901234567890123,
    ]  # fmt: skip


@pytest.mark.parametrize("text", ['"\\ud83d"', '{"half \\udc00 of": 1}', "\ufeff{}".encode()])
def test_half_a_surrogate_pair_and_a_byte_order_mark_are_read(text: str | bytes) -> None:
    assert as_json.loads(text) == json.loads(text)


@given(text=st.text())
def test_a_line_spells_a_text_in_one_of_the_two_ways(text: str) -> None:
    spelled = as_json.spelled(text)
    assert json.dumps(text)[1:-1] in spelled
    assert as_json.dumps(text)[1:-1] in spelled
