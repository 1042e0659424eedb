"""Every verb in several processes at once, on a folder and on a real S3: all is as after one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from s3_servers import binary, client, seaweed
from thorough import IS_THOROUGH

RUNS = Path(__file__).parent / "at_once_runs.py"
WRITING = ("fetch", "parts")
IMPORTS = ("import members", "import messages")
EVERY = (*WRITING, *IMPORTS, "replay", "fetch again", "measure", "report", "erase", "all")
ON_A_FOLDER = [(2, EVERY), (8, EVERY)] if IS_THOROUGH else [(3, WRITING)]


def tried(folder: Path, place: str, processes: int, cases: tuple[str, ...], **more: str) -> Any:
    """What became of each case, by a process that runs them one after the other."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **more}
    words = [sys.executable, str(RUNS), str(folder), place, str(processes), *cases]
    ended = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def check(told: Any, processes: int, cases: tuple[str, ...]) -> None:
    assert [(one["case"], one["processes"]) for one in told] == [(one, processes) for one in cases]
    wrong = [line for one in told for line in one["wrong"]]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("processes", "cases"), ON_A_FOLDER)
def test_several_processes_at_once_leave_in_a_folder_what_one_leaves(tmp_path, processes, cases):
    check(tried(tmp_path, "folder", processes, cases), processes, cases)


@pytest.mark.skipif(not IS_THOROUGH, reason="make test-faults; by default test_merge_on_s3.py")
@pytest.mark.skipif(not binary("weed"), reason="no weed here: the dev dependencies bring it")
@pytest.mark.parametrize("processes", [2, 8] if IS_THOROUGH else [2])
def test_several_processes_at_once_leave_in_a_bucket_what_one_leaves(tmp_path, processes):
    (tmp_path / "weed").mkdir()
    (tmp_path / "runs").mkdir()
    with seaweed(tmp_path / "weed") as server:
        client(server.url).create_bucket(Bucket="lake")
        told = tried(tmp_path / "runs", "s3://lake", processes, EVERY, **server.environment)
    check(told, processes, EVERY)
