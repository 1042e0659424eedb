"""The real command killed at random, or repeated: the lake is as after one undisturbed fetch.

``tests/faults`` kills it at every call, and runs several at once.
"""

import hashlib
import json
import os
import random
import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import command, muster
from thorough import tries

import demo
from muster.kpis import engine
from muster.records import TABLES, columns

KILLS = tries(1, 20)
WEEKS = 4


@pytest.fixture(scope="module")
def server():
    """The simulated platforms without rate limits, as of now."""
    with demo.start(datetime.now(UTC), are_limited=False) as running:
        yield running


@pytest.fixture(scope="module")
def project(server, tmp_path_factory):
    """A way to make demo projects that reach back a few weeks."""

    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        server.write_project(folder)
        settings = folder / "muster.yaml"
        since = (server.now - timedelta(weeks=WEEKS)).date().isoformat()
        settings.write_text(re.sub(r"since: \S+", f"since: {since}", settings.read_text()))
        return folder

    return make


@pytest.fixture(scope="module")
def undisturbed(server, project):
    """A project whose lake was fetched once by one process."""
    folder = project("undisturbed")
    fetch(server, folder)
    return folder


def fetching(server, folder, *words):
    """A running ``muster fetch`` in a process of its own."""
    return subprocess.Popen(
        command(folder, "fetch", *words),
        env={**os.environ, **server.tokens},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def fetch(server, folder, *words):
    """Fetch to the end."""
    process = fetching(server, folder, *words)
    _, trouble = process.communicate(timeout=240)
    assert process.returncode == 0, trouble.decode()


def rows(folder):
    """Every row of every table, but for when it was observed."""
    found = {}
    for table in TABLES.values():
        names = ", ".join(f'"{column.name}"' for column in columns(table.row)[:-1])
        sql = f"select source, {names} from {table.name}"
        found[table.name] = sorted(map(repr, engine.ask(str(folder / "lake"), sql).rows))
    return found


def bytes_of_tables(folder):
    """Each object of the tables with a digest of its bytes."""
    paths = sorted((folder / "lake" / "tables").rglob("*.parquet"))
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_fetching_twice_changes_no_byte(server, undisturbed):
    before = bytes_of_tables(undisturbed)
    fetch(server, undisturbed)
    assert len(before) > 5
    assert bytes_of_tables(undisturbed) == before


def test_killed_at_random_points_and_run_again_the_lake_is_the_same(server, project, undisturbed):
    expected, objects = rows(undisturbed), written(undisturbed)
    assert len(expected["messages"]) > 500
    chance, cut_short = random.Random(), 0
    for number in range(KILLS):
        folder = project(f"killed-{number}")
        process, enough = fetching(server, folder), chance.uniform(0, objects / 2)
        while process.poll() is None and written(folder) < enough:
            time.sleep(0.01)
        cut_short += process.poll() is None
        process.kill()
        process.communicate()
        fetch(server, folder)
        assert rows(folder) == expected
    assert cut_short > 0


def written(folder):
    """How many files the lake has, finished or not."""
    return sum(path.is_file() for path in (folder / "lake").rglob("*"))


def test_wrong_tokens_cost_one_clear_line_each_and_write_nothing(server, project):
    folder = project("locked")
    wrong = dict.fromkeys(server.tokens, "wrong-and-secret")
    ended = muster(folder, "fetch", **wrong)
    lines = ended.stderr.strip().splitlines()
    assert ended.returncode == 1
    assert [line.partition(":")[0] for line in lines] == ["forum", "x", "bluesky"]
    assert all("muster.yaml" in line or "password" in line for line in lines), lines
    assert "wrong-and-secret" not in ended.stdout + ended.stderr
    assert not list((folder / "lake").glob("tables/**/*.parquet"))


def test_one_broken_source_costs_only_itself(server, project):
    folder = project("broken")
    tokens = dict(server.tokens) | {"DEMO_X_BEARER": "wrong"}
    ended = muster(folder, "run", **tokens)
    assert ended.returncode == 1
    assert ended.stderr.startswith("x: ") and len(ended.stderr.strip().splitlines()) == 1
    counts = engine.ask(str(folder / "lake"), "select source, count(*) from messages group by 1")
    assert {row[0] for row in counts.rows} == {"forum", "bluesky"}
    mail = next((folder / "outbox").glob("weekly-*.html")).read_text()
    assert "x has never been fetched" in mail


def test_a_backfill_reads_its_window_and_leaves_the_cursor_alone(server, project, undisturbed):
    folder = project("window")
    start, end = ((server.now - timedelta(days=days)).date().isoformat() for days in (21, 14))
    fetch(server, folder, "--since", start, "--until", end)
    days = "select distinct cast(created_at + interval 1 hour as date) from messages order by 1"
    found = [day.isoformat() for (day,) in engine.ask(str(folder / "lake"), days).rows]
    assert found[0] >= start and found[-1] <= end and len(found) >= 5
    states = [json.loads(path.read_text()) for path in (folder / "lake/state").glob("*.json")]
    assert all(not one["cursor"] and one["last_success_at"] is None for one in states)
    fetch(server, folder)
    assert rows(folder)["messages"] == rows(undisturbed)["messages"]
