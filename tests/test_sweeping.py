"""Work over many rows holds Python's search for circular garbage back, and leaves it as it was."""

from __future__ import annotations

import gc

import pytest

from muster.pipeline.sweeping import seldom_swept


def test_the_search_is_held_back_and_then_as_before() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="trouble"), seldom_swept():
        assert gc.get_threshold()[0] > 50 * before[0]
        raise ValueError("trouble")
    assert gc.get_threshold() == before
