"""No command waits for a library that it does not need, however much is installed beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import MESSAGES, MINIMAL, muster

from muster import unneeded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project, and libraries that end whatever program imports them."""
    (tmp_path / "muster.yaml").write_text(MINIMAL)
    (tmp_path / "messages.csv").write_text(MESSAGES)
    for name in unneeded.NAMES:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('imported: {name}')")
    (tmp_path / "pyspark.py").write_text("import importlib.util as u; print(u.find_spec('numpy'))")
    return tmp_path


def test_duckdb_and_pyarrow_import_none_of_them(folder: Path) -> None:
    asked = ("sql", "select max(created_at), any_value(tags) from messages")
    for words in (("import", "messages", str(folder / "messages.csv"), "--source", "old"), asked):
        ended = muster(folder, *words, PYTHONPATH=str(folder))
        assert (ended.returncode, ended.stderr) == (0, "")


def test_spark_is_told_what_there_is(folder: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from muster import unneeded; unneeded.hide(); import pyspark"],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    assert "numpy.py" in said.stdout, said.stderr
