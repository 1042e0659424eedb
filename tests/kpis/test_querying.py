"""The recipes of docs/querying.md, run as they stand: on a folder, and on a bucket."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb_extension_httpfs
import pyarrow.parquet as pq
import pytest
import sqlglot
from s3_servers import Server, client, moto
from small_lake import at, message, settings, write

from muster.kpis import engine
from muster.kpis.catalogue import load
from muster.kpis.runner import measure
from muster.records import Member
from muster.store import FolderStore

DOCUMENT = Path(__file__).parents[2] / "docs" / "querying.md"
RECIPES = re.findall(r"^```(\w+)(?: (\w+))?\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.M | re.S)
PROGRAMS = Path(sys.executable).parent
HTTPFS = next(Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension"))
# Two lines of a recipe need what only the network has: an extension, and one that finds profiles.
OFFLINE = {
    "install httpfs; load httpfs": f"load '{HTTPFS}'",
    "create secret (type s3, provider credential_chain)": (
        "create secret (type s3, provider config, key_id 'muster-test', secret 'muster-secret', "
        "endpoint 'HOST', use_ssl false, url_style 'path', region 'us-east-1')"
    ),
}


LATE = {"author_id": "eve", "created_at": at(14.5, days=6)}  # Sunday; in Berlin it is Monday
ROWS = [
    ("forum", message("m1", 0, author_id="anna")),
    ("x", message("m2", 1, author_id="ann")),
    ("x", message("m3", 900)),
    ("x", message("m4", 5, author_id="shop")),
    ("x", message("m5", 6, author_id="gone", deleted_at=at(7), text=None)),
    ("x", message("m6", 8, "staff")),
    ("x", message("m7", 0, **LATE)),
    ("x", message("m8", 3, author_id=None)),
    *((("x", message(f"s{n}", 10, text="buy " * 9, author_id="spam"))) for n in range(8)),
    ("forum", Member(member_id="anna", person_id="p")),
    ("x", Member(member_id="ann", person_id="p")),
    ("x", Member(member_id="shop", is_bot=True)),
]


def age(lake: FolderStore) -> None:
    """The first file of messages becomes one of a release that knew of fewer columns."""
    (key, *_) = sorted(one.key for one in lake.list("tables/messages/"))
    old = pq.ParquetFile(io.BytesIO(lake.get(key).data)).read().drop_columns(["sentiment", "views"])
    written = io.BytesIO()
    pq.write_table(old, written)
    lake.put(key, written.getvalue())


def recipes(language: str, place: str = "") -> list[str]:
    return [text for kind, where, text in RECIPES if (kind, where) == (language, place)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose lake is measured, and has the views that a measuring leaves."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "muster.yaml").write_text("community: Test\nsources: []\n", "utf-8")
    lake = write(folder / "lake", ROWS)
    store = FolderStore(Path(lake))
    age(store)
    berlin = settings(timezone="Europe/Berlin")
    measure(engine.connect(lake), berlin, load(), as_of=at(1000), coverage=(), lake=store)
    store.put("measured/views.sql", engine.views(lake).encode())
    return folder


@pytest.fixture(scope="module")
def bucket(project: Path) -> Iterator[Server]:
    """The same lake in ``s3://my-lake``."""
    with moto() as server:
        s3 = client(server.url)
        s3.create_bucket(Bucket="my-lake")
        lake = FolderStore(project / "lake")
        for entry in lake.list():
            stored = lake.get(entry.key)
            s3.put_object(Bucket="my-lake", Key=entry.key, Body=stored.data)
        yield server


def run(project: Path, *command: str, **more: str) -> str:
    """What a program says in the project's folder, ours found before any other."""
    environment = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", **more}
    ended = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_recipe_is_run() -> None:
    kinds = {(kind, where) for kind, where, _ in RECIPES}
    assert kinds == {("sh", ""), ("python", ""), ("python", "s3"), ("python", "spark"), ("sql", "")}


def test_who_counts_as_the_document_says_counts_as_muster_does(project: Path) -> None:
    (counting,) = re.findall(r'"""\n(    select\n.*?)"""', DOCUMENT.read_text("utf-8"), re.S)
    lake = str(project / "lake")
    counted = engine.ask(lake, counting).rows
    told = "select value from kpi_values where kpi = '{}' and grain = 'week' order by period_start"
    messages, people = (
        [value for (value,) in engine.ask(lake, told.format(kpi)).rows]
        for kpi in ("messages", "active_members")
    )
    assert [row[1:] for row in counted] == list(zip(messages, people, strict=True))
    assert counted[0][1:] == (3, 1), "one person's, and one that is hidden"


def test_no_recipe_mixes_a_value_with_its_parts() -> None:
    asking = [recipe for _, _, recipe in RECIPES if "first_response_median" in recipe]
    assert len(asking) >= 3
    for recipe in asking:
        assert "segment" in recipe, recipe


@pytest.mark.parametrize("recipe", recipes("sh"))
def test_commands(project: Path, recipe: str) -> None:
    for line in recipe.splitlines():
        run(project, "bash", "-ec", line)
    if "weekly.csv" in recipe:
        assert (project / "weekly.csv").read_text("utf-8").startswith("kpi,version,grain")
        assert (project / "conversations.parquet").stat().st_size


@pytest.mark.parametrize("recipe", recipes("python"))
def test_python_on_a_folder(project: Path, recipe: str) -> None:
    run(project, sys.executable, "-W", "error", "-c", recipe)


@pytest.mark.parametrize("recipe", recipes("python", "s3"))
def test_python_on_a_bucket(project: Path, bucket: Server, recipe: str) -> None:
    for online, offline in OFFLINE.items():
        recipe = recipe.replace(online, offline.replace("HOST", bucket.url.removeprefix("http://")))
    run(project, sys.executable, "-c", recipe, **bucket.environment)


@pytest.mark.parametrize("recipe", recipes("sql"))
def test_questions_for_athena(project: Path, recipe: str) -> None:
    (carried,) = sqlglot.transpile(recipe, read="athena", write="duckdb")
    assert engine.ask(str(project / "lake"), carried).columns == ("period_start", "hours", "n")
    template = (DOCUMENT.parents[1] / "template.yaml").read_text("utf-8")
    assert " ".join(recipe.split()) in " ".join(template.split())
