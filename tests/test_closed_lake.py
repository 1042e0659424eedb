"""A lake on a full disk, closed to whoever runs Muster, or elsewhere says so; it is not empty."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from muster.errors import StoreRefused
from muster.store import FolderStore

LISTED_BY_ANOTHER = """
import os, sys
from pathlib import Path
from muster.errors import StoreRefused
from muster.kpis import engine
from muster.store import FolderStore
if not os.geteuid():
    os.seteuid(65534)  # rights do not hold for root
for ask in (lambda: [*FolderStore(Path()).list("tables/")],
            lambda: engine.ask(".", "select count(*) from messages")):
    try:
        print(ask())
    except StoreRefused as error:
        print(error)
"""


@pytest.mark.parametrize("name", ["tables/messages", "tables/messages/part-0.parquet"])
def test_what_may_not_be_read_is_told_and_not_taken_for_nothing(tmp_path: Path, name: str) -> None:
    """The lake of a job that runs as another user."""
    FolderStore(tmp_path).put("tables/messages/part-0.parquet", b"x" * 100_000)
    tmp_path.chmod(0o755)
    (tmp_path / name).chmod(0)
    asked = [sys.executable, "-c", LISTED_BY_ANOTHER]  # in it: its parents are closed to others
    said = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path).stdout
    (tmp_path / name).chmod(0o755)
    listed, asked_in_sql = said.splitlines()
    assert listed.startswith(f"{name}: Permission denied: check the folder's rights"), said
    assert name in asked_in_sql and "Permission denied" in asked_in_sql, said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has a disk always full")
def test_a_full_disk_is_told_and_nothing_unfinished_takes_up_more_of_it(tmp_path: Path) -> None:
    store, key = FolderStore(tmp_path), "state/forum.json"
    store.put(key, b"before")
    unfinished = tmp_path / ".muster" / f"{hashlib.sha256(key.encode()).hexdigest()[:2]}.unfinished"
    unfinished.symlink_to("/dev/full")
    with pytest.raises(StoreRefused, match="forum.json: No space left on device: make room there"):
        store.put(key, b"after")
    assert not unfinished.is_symlink()
    assert store.get(key).data == b"before"  # type: ignore[union-attr]
    store.put(key, b"after")
    assert store.get(key).data == b"after"  # type: ignore[union-attr]


def test_what_leads_elsewhere_or_is_a_folder_is_told_and_not_taken_for_nothing(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path / "lake")
    store.put("tables/t/source=a/part-0.parquet", b"1")
    (tmp_path / "lake" / "decisions.json").symlink_to(tmp_path / "not mounted" / "decisions.json")
    with pytest.raises(StoreRefused, match="decisions.json: .*a link whose file is away"):
        store.put("decisions.json", b"anew", if_new=True)
    with pytest.raises(StoreRefused, match="tables/t: Is a directory: a folder stands where"):
        store.get("tables/t")
    (tmp_path / "lake" / "tables" / "t" / "source=b").symlink_to(tmp_path)
    with pytest.raises(StoreRefused, match="source=b: is a link, and no reader of a lake follows"):
        list(store.list("tables/"))
