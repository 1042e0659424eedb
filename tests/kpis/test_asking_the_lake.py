"""Asking the lake: in turn on a terminal, from a pipe, and from DuckDBs of others."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from small_lake import TYPE_NAMES, at, message, settings, write

from muster.errors import BadSettings
from muster.kpis import engine
from muster.kpis.catalogue import load
from muster.kpis.runner import measure
from muster.measured import DERIVED, derived_columns
from muster.records import TABLES
from muster.store import FolderStore

MUSTER = (sys.executable, "-m", "muster")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "muster.yaml").write_text("community: Test\nsources: []\n", "utf-8")
    write(tmp_path / "lake", [message("m1", 0, text="naïve\nlines"), message("m2", 1)])
    return tmp_path


def test_a_question_may_come_from_a_pipe(project: Path) -> None:
    command = [*MUSTER, "-C", str(project), "sql", "--format", "csv"]
    asked = "select count(*) as messages\nfrom messages;\n"
    ended = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    assert ended.stdout == "messages\n2\n"


@pytest.mark.parametrize(
    "asked", ["select nothing from messages", "select 'a'::int", "select coutn(*) from messages"]
)
def test_what_is_wrong_is_said_of_the_question_as_it_was_asked(project: Path, asked: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        engine.ask(str(project / "lake"), asked)
    assert "describe" not in str(refusal.value)


def test_an_answer_of_any_kind_is_told_in_csv_and_in_json(project: Path) -> None:
    asked = (
        "select [timestamp '2026-11-02 09:00:00'] as a, {'b': 1.50::decimal(4, 2)} as b, "
        "['nan'::double, 0.5] as c, 1 / 0 as d"
    )
    said = {}
    for form in ("json", "csv"):
        command = [*MUSTER, "-C", str(project), "sql", asked, "--format", form]
        said[form] = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (told,) = json.loads(said["json"], parse_constant=pytest.fail)
    assert told == {"a": ["2026-11-02T09:00:00"], "b": {"b": "1.50"}, "c": [None, 0.5], "d": None}
    (row,) = csv.DictReader(io.StringIO(said["csv"]))
    assert {name: json.loads(row[name]) for name in "abc"} | {"d": None} == told


@pytest.mark.parametrize("step", ["opened_issues", "human_messages", "periods"])
def test_a_step_of_a_kpi_s_sql_is_named_as_what_it_is(project: Path, step: str) -> None:
    with pytest.raises(BadSettings, match=f"{step} is no table but a step .*kpis show ID"):
        engine.ask(str(project / "lake"), f"select * from {step}")


class Terminal:
    """A program on a terminal of its own: what is typed goes in, what it shows comes out."""

    def __init__(self, command: list[str]) -> None:
        self.shown = ""
        self.pid, self.there = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", COLUMNS="120", LINES="40")
            os.execv(command[0], command)

    def types(self, keys: str, until: str) -> None:
        """Type, and wait until something is shown that was not there before."""
        os.write(self.there, keys.encode())
        since, end = len(self.shown), time.monotonic() + 30
        while until not in self.shown[since:]:
            assert time.monotonic() < end, self.shown[since:]
            self.shown += self.reads()

    def reads(self) -> str:
        """What is shown within a moment."""
        if not select.select([self.there], [], [], 0.2)[0]:
            return ""
        text = os.read(self.there, 65536).decode(errors="replace")
        if "\x1b[6n" in text:  # where is the cursor?
            os.write(self.there, b"\x1b[1;1R")
        return text

    def ends(self, keys: str) -> int:
        """Type, and wait until the program is over: its exit code."""
        os.write(self.there, keys.encode())
        with suppress(OSError):  # nobody is there any more
            while True:
                self.reads()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_terminal_asks_in_turn_and_completes_names(project: Path) -> None:
    terminal = Terminal([*MUSTER, "-C", str(project), "sql"])
    terminal.types("", until="lake>")
    terminal.types("select count(*) + 40 * 101 from kpi_va\t", until="kpi_values")
    terminal.types(";\r", until="4040")
    terminal.types("select nothing;\r", until="cannot be answered")
    terminal.types("drop view messages;\r", until="only read here")
    terminal.types("select 'one'\r", until="...")
    terminal.types("|| 'two';\r", until="onetwo")
    terminal.types("", until="lake>")
    assert terminal.ends("\x04") == 0


def test_the_views_of_a_lake_serve_any_duckdb(tmp_path: Path) -> None:
    lake = write(tmp_path / "lake", [message("m1", 0), message("m2", 1)])
    made = engine.views(lake)
    with duckdb.connect() as other:
        other.execute(made)
        other.execute(made)  # they may be there already
        for name in (*TABLES, *DERIVED):
            asked = f"select * from {name} order by all"
            assert other.execute(asked).fetchall() == list(engine.ask(lake, asked).rows)
    assert "s3" not in made


def test_derived_tables_have_the_columns_that_are_told(tmp_path: Path) -> None:
    lake = write(tmp_path / "lake", [message("m1", 0), message("m2", 1)])
    store = FolderStore(Path(lake))
    measure(engine.connect(lake), settings(), load(), as_of=at(100), coverage=(), lake=store)
    for name in set(DERIVED) - {"goal_status"}:  # written with the goals' verdicts
        files = f"read_parquet('{lake}/tables/{name}/**/*.parquet', hive_partitioning = false)"
        found = duckdb.sql(f"describe select * from {files}").fetchall()
        written = {row[0]: row[1].removesuffix(" WITH TIME ZONE") for row in found}
        told = {one.name: TYPE_NAMES[one.type] for one in derived_columns(name)}
        assert written == told, name
