"""The layers as they are deployed: built for both processors, within Lambda's limit, importable.

Run by ``make layers``; importing needs a Python of the functions' version on the path.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import interpreter
import pytest
import yaml

from muster import service_models

HOUSE = Path(__file__).resolve().parents[2]
BUILT = HOUSE / ".cache" / "layers"
LIMIT = 250 * 1024 * 1024
ROOM = 20 * 1024 * 1024  # so that a new version of a dependency does not stop a deploy
PYTHON = interpreter.found()
OFFLINE = """
import json, sys
import {module}
print(json.dumps(sorted({{"duckdb", "pyarrow", "numpy"}} & set(sys.modules))))
"""
LOAD_HTTPFS = """
import duckdb, duckdb_extension_httpfs, pathlib
root = pathlib.Path(duckdb_extension_httpfs.__file__).parent
(file,) = root.rglob("httpfs.duckdb_extension")
connection = duckdb.connect(config={"extension_directory": "/nonexistent"})
connection.execute(f"load '{file}'")
"""


TEMPLATES = """
import pathlib, tempfile
from jinja2 import Environment
from muster.reports import compiling, templating
with tempfile.TemporaryDirectory() as folder:
    theirs = pathlib.Path(folder, "email")
    theirs.mkdir()
    (theirs / "report.txt").write_text("their own")
    with templating.own(theirs.parent):
        assert templating.environment("email").get_template("report.txt").render() == "their own"
Environment._compile = None  # from here on nothing can be compiled
for kind in compiling.KINDS:
    environment = templating.environment(kind)
    for name in environment.list_templates(extensions=("html", "txt")):
        environment.get_template(name)
        print(kind, name)
"""


class Template(yaml.SafeLoader):
    """CloudFormation's short forms as plain values: what a ``!Ref`` names."""


Template.add_multi_constructor("!", lambda loader, _, node: _plain(loader, node))


def _plain(loader: yaml.SafeLoader, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


RESOURCES = yaml.load((HOUSE / "template.yaml").read_text("utf-8"), Loader=Template)["Resources"]
LAYERS = {
    name: HOUSE / one["Properties"]["ContentUri"]
    for name, one in RESOURCES.items()
    if one["Type"] == "AWS::Serverless::LayerVersion"
}
FUNCTIONS = {
    one["Properties"]["CodeUri"].rpartition("/")[2]: one["Properties"]["Layers"]
    for one in RESOURCES.values()
    if one["Type"] == "AWS::Serverless::Function"
}


@pytest.fixture(scope="session", params=["arm64", "x86_64"])
def built(request: pytest.FixtureRequest) -> Path:
    """Every layer, built anew as ``sam build`` does: by its Makefile."""
    place = BUILT / request.param
    shutil.rmtree(place, ignore_errors=True)
    # A version manager's stand-in for it, first on the path, would not do.
    path = os.pathsep.join([str(Path(PYTHON or "").parent), os.environ["PATH"]])

    def build(name: str) -> None:
        (place / name).mkdir(parents=True)
        settings = {**os.environ, "ARCH": request.param, "ARTIFACTS_DIR": str(place / name),
                    "PATH": path}  # fmt: skip
        subprocess.run(["make", "-s", f"build-{name}"], cwd=LAYERS[name], env=settings, check=True)

    with ThreadPoolExecutor(len(LAYERS)) as pool:
        list(pool.map(build, LAYERS))
    return place


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_every_function_fits_with_its_layers(built: Path) -> None:
    sizes = {name: sum(size(built / one) for one in used) for name, used in FUNCTIONS.items()}
    print(json.dumps({name: round(found / 1024 / 1024, 1) for name, found in sizes.items()}))
    assert len(sizes) == 7
    assert max(sizes.values()) < LIMIT - ROOM


def test_no_function_carries_both_heavy_libraries(built: Path) -> None:
    for name, used in FUNCTIONS.items():
        there = {path.name for one in used for path in (built / one / "python").iterdir()}
        assert not {"pyarrow", "duckdb"} <= there, name


def test_every_module_is_compiled_and_stays_valid_wherever_it_is_unpacked(built: Path) -> None:
    for name in LAYERS:
        for source in (built / name).rglob("*.py"):
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            assert compiled.exists(), source
            flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
            assert flags == 0b01, f"{source}: by hash, unchecked"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_starts_from_its_layers_alone(built: Path, name: str) -> None:
    if built.name != os.uname().machine or PYTHON is None:
        pytest.skip("no Python 3.13 of this processor here")
    heavy = ["pyarrow"] if name in ("fetch", "inbox", "erase") else []
    assert json.loads(run(built, name, OFFLINE.format(module="app"))) == heavy


def test_templates_are_compiled_and_a_community_s_own_come_before_them(built: Path) -> None:
    if built.name != os.uname().machine or PYTHON is None:
        pytest.skip("no Python 3.13 of this processor here")
    found = run(built, "report", TEMPLATES).split("\n")
    assert {"email report.html", "email report.txt", "site overview.html"} <= set(found)


def test_services_are_described_without_prose(built: Path) -> None:
    folder = built / "Library" / "python" / "muster" / service_models.FOLDER.name
    assert {path.name for path in folder.iterdir()} == {"endpoints.json", *service_models.CALLED}


def test_httpfs_loads_from_the_layer_without_a_network(built: Path) -> None:
    if built.name != os.uname().machine or PYTHON is None:
        pytest.skip("no Python 3.13 of this processor here")
    run(built, "measure", LOAD_HTTPFS)


def run(built: Path, name: str, code: str) -> str:
    """What a program says that sees the function and its layers, and no other package."""
    places = [HOUSE / "functions" / name, *(built / one / "python" for one in FUNCTIONS[name])]
    path = os.pathsep.join(map(str, places))
    ended = subprocess.run(
        [str(PYTHON), "-S", "-B", "-c", code],
        capture_output=True, text=True, env={"PYTHONPATH": path, "HOME": "/nonexistent"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
