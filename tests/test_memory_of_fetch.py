"""However much a fetch brings, it needs the memory of a few batches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from thorough import IS_THOROUGH

BENCH = Path(__file__).parents[1] / "bench" / "fetch.py"


def peak_mb(posts: int, letters: int = 250, days: int = 425) -> int:
    """Peak memory of fetching a simulated forum, in a process of its own; sentiment adds none."""
    command = [sys.executable, str(BENCH), "--only", "muster", "--sentiment", "none",
               "--posts", str(posts), "--letters", str(letters), "--days", str(days)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout)["peak_mb"])


@pytest.mark.skipif(not IS_THOROUGH, reason="a busy month shows most of it: make test-thorough")
def test_more_posts_take_no_more_memory() -> None:
    assert peak_mb(25_000) - peak_mb(10_000) < 20


def test_a_month_that_fills_a_part_takes_little_more() -> None:
    assert peak_mb(45_000, letters=600, days=20) < 270


def test_long_posts_make_smaller_batches() -> None:
    assert peak_mb(3_000, letters=30_000) < 400
