"""Merging a month that outgrows its first object stays within the memory of a small function."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "merge.py"


def test_a_full_month_is_merged_within_512_mb() -> None:
    command = [sys.executable, str(BENCH), "--rows", "70000", "--days", "27", "--letters", "1000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["objects"] == 2, "the measure must reach the largest object there is"
    assert found["peak_mb"] < 512
