"""Work over many rows in; the same work with Python's search for circular garbage held back."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seldom_swept() -> Iterator[None]:
    """Look for garbage in circles seldom: rows and items are none."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
