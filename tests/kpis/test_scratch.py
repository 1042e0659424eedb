"""What outgrows memory goes to a folder that no other connection uses."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import time

import pytest

from muster import scratch
from muster.errors import Abort
from muster.kpis import engine
from muster.store import FolderStore

BIG = """
create temp table big as
select i as number, 'row ' || i || repeat('x', 60) as text from range(1500000) as many(i)
"""


def test_each_connection_spills_to_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    one, other = (engine.connect("/nowhere", memory="100MB") for _ in range(2))
    for connection in (one, other):
        connection.execute(BIG)
    assert len([*tmp_path.glob("muster-scratch-*")]) == 2
    for connection in (one, other):
        ((rows, wrong),) = connection.execute(
            "select count(*), count_if(text not like 'row ' || number || 'x%') from big"
        ).fetchall()
        assert (rows, wrong) == (1_500_000, 0)
        connection.close()
    assert [*tmp_path.iterdir()] == []


def test_what_a_killed_process_left_is_removed_and_nothing_of_one_that_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        names = [
            f"muster-scratch-{running.pid}-a",
            "muster-scratch-0x-b",
            "muster-scratch-99999999-c",
            f"muster-scratch-{os.getpid()}-d",  # a container's runs all have one number
        ]
        for name in (*names, "else"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "file.tmp").touch()
        engine.connect("/nowhere")
        assert {path.name for path in tmp_path.iterdir()} == {names[0], "else"}


def test_a_folder_of_ours_is_closed_to_others_and_goes_whatever_happens(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ValueError, match="trouble"), scratch.folder() as one:
        assert one.stat().st_mode & 0o077 == 0
        (one / "rows").touch()
        with scratch.folder() as other:
            assert one.is_dir() and one != other
        raise ValueError("trouble")
    assert [*tmp_path.iterdir()] == []


def test_where_nothing_can_be_written_a_lake_is_read_and_what_needs_room_says_so(
    tmp_path, monkeypatch
):
    def is_full():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    FolderStore(tmp_path).put("measured/views.sql", b"")
    monkeypatch.setattr(tempfile, "gettempdir", is_full)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert engine.ask(str(tmp_path), "select count(*) from messages").rows == ((0,),)
    why = f"{tmp_path}: No space left on device: make room there, or set TMPDIR"
    with pytest.raises(Abort, match=why), scratch.folder():
        raise OSError(errno.ENOSPC, "No space left on device")


LEFT = """
import os, signal
from pathlib import Path
from muster.kpis import derived

derived.copy = lambda connection, sql, path: os.kill(os.getpid(), signal.SIGKILL)
derived.written(None, "select 1")
"""


def test_what_is_written_beside_is_taken_away_by_the_next_process(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", LEFT], env=environment)
    assert killed.returncode < 0 and len([*tmp_path.iterdir()]) == 1
    clean = "from muster.kpis import engine; engine.connect('/nowhere')"
    subprocess.run([sys.executable, "-c", clean], env=environment, check=True)
    assert [*tmp_path.iterdir()] == []


def test_what_was_shown_stays_for_a_day(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = ("muster-preview-a", "muster-preview-b", "else")
    old, recent, others = (tmp_path / name for name in names)
    for path, hours in ((old, 25), (recent, 23), (others, 99)):
        path.mkdir()
        os.utime(path, (time.time() - hours * 3600,) * 2)
    new = scratch.shown_folder()
    assert {*tmp_path.iterdir()} == {new, recent, others}
