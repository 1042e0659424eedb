"""The recipes of docs/querying.md, run as they stand: on a folder, and on a bucket."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb_extension_httpfs
import pytest
import sqlglot
from s3_servers import Server, client, moto
from small_lake import at, message, settings, write

from muster.kpis import engine
from muster.kpis.catalogue import load
from muster.kpis.runner import measure
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


def recipes(language: str, place: str = "") -> list[str]:
    return [text for kind, where, text in RECIPES if (kind, where) == (language, place)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose lake is measured, and has the views that a measuring leaves."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "muster.yaml").write_text("community: Test\nsources: []\n", "utf-8")
    rows = [("forum", message("m1", 0)), ("x", message("m2", 1)), ("x", message("m3", 900))]
    lake = write(folder / "lake", rows)
    store = FolderStore(Path(lake))
    measure(engine.connect(lake), settings(), load(), as_of=at(1000), coverage=(), lake=store)
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
