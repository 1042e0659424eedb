"""Work over many rows holds Python's search for circular garbage back, and leaves it as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from muster.pipeline.sweeping import seldom_swept


@pytest.fixture
def usual() -> Iterator[tuple[int, int, int]]:
    """Python's own thresholds: a function's process, which a test may have been, has others."""
    before, usual = gc.get_threshold(), (700, 10, 10)
    gc.set_threshold(*usual)
    yield usual
    gc.set_threshold(*before)


def test_the_search_is_held_back_and_then_as_before(usual: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="trouble"), seldom_swept():
        assert gc.get_threshold()[0] > 50 * usual[0]
        raise ValueError("trouble")
    assert gc.get_threshold() == usual
