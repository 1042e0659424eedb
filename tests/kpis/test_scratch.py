"""What outgrows memory goes to a folder that no other connection uses."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from muster.kpis import engine

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
        ]
        for name in (*names, "else"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "file.tmp").touch()
        engine.connect("/nowhere")
        assert {path.name for path in tmp_path.iterdir()} == {names[0], "else"}
