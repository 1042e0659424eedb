"""A lake that is closed to whoever runs Muster says so; it is not taken for an empty one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from muster.store import FolderStore

LISTED_BY_ANOTHER = """
import os
from pathlib import Path
from muster.errors import StoreRefused
from muster.store import FolderStore
if not os.geteuid():
    os.seteuid(65534)  # rights do not hold for root
try:
    print([entry.key for entry in FolderStore(Path()).list("tables/")])
except StoreRefused as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["tables/t", "tables/t/part-0.parquet"])
def test_what_may_not_be_read_is_told_and_not_taken_for_nothing(tmp_path: Path, name: str) -> None:
    """The lake of a job that runs as another user."""
    FolderStore(tmp_path).put("tables/t/part-0.parquet", b"x" * 100_000)
    tmp_path.chmod(0o755)
    (tmp_path / name).chmod(0)
    asked = [sys.executable, "-c", LISTED_BY_ANOTHER]  # in it: its parents are closed to others
    said = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path).stdout
    (tmp_path / name).chmod(0o755)
    assert said.startswith(f"{name}: Permission denied: check the folder's rights"), said
