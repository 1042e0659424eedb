"""A release: the same bytes wherever it is built, a bill that is complete, and enough to deploy."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from release import build, shipped
from release.bill import bill

HOUSE = Path(__file__).resolve().parents[2]
MADE_AT = datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The release of the newest commit, built in a folder of its own."""
    if not (HOUSE / ".git").exists():
        pytest.skip("no clone: a release is of a commit")
    return build.built(tmp_path_factory.mktemp("release"))


def test_built_in_another_place_by_another_user_it_is_the_same(released, tmp_path):
    """Other folder, time zone, language and permissions of new files."""
    code = """
import os, sys, hashlib, json
from pathlib import Path
os.umask(0o077)
from release import build
found = build.built(Path(sys.argv[1]))
print(json.dumps({name: hashlib.sha256(content).hexdigest() for name, content in found.items()}))
"""
    place = {**os.environ, "TZ": "Pacific/Auckland", "LC_ALL": "C", "HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "ünd so")],
        cwd=HOUSE, env=place, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    mine = {name: hashlib.sha256(content).hexdigest() for name, content in released.items()}
    assert json.loads(ended.stdout) == mine
    assert len(mine) == 4


def test_the_checksums_are_of_every_other_file(released):
    lines = dict(reversed(line.split("  ")) for line in released[build.SUMS].decode().splitlines())
    others = {name: content for name, content in released.items() if name != build.SUMS}
    assert lines == {name: hashlib.sha256(content).hexdigest() for name, content in others.items()}


def test_the_wheel_carries_all_that_the_command_line_needs(released, tmp_path):
    (name,) = (name for name in released if name.endswith(".whl"))
    with zipfile.ZipFile(BytesIO(released[name])) as wheel:
        wheel.extractall(tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    for pattern in ("layers/muster/muster/**/*.*", "templates/**/*.*"):
        for path in HOUSE.glob(pattern):
            if "__pycache__" not in path.parts:
                place = str(path.relative_to(HOUSE)).removeprefix("layers/muster/")
                assert place.replace("templates/", "muster/templates/", 1) in names or (
                    place in names
                ), place
    assert any(name.endswith("licenses/LICENSE") for name in names)
    asked = [sys.executable, "-c", "import muster, muster.command_line; print(muster.__file__)"]
    ended = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True,
                           env={"PYTHONPATH": str(tmp_path)})  # fmt: skip
    assert ended.stdout.strip() == str(tmp_path / "muster" / "__init__.py"), ended.stderr


def test_the_archive_carries_all_that_a_deploy_needs(released):
    (name,) = (name for name in released if name.endswith(".tar.gz"))
    with tarfile.open(fileobj=BytesIO(released[name])) as archive:
        names = {one.name.partition("/")[2] for one in archive.getmembers()}
    template = (HOUSE / "template.yaml").read_text("utf-8")
    places = re.findall(r"^\s+(?:CodeUri|ContentUri|DefinitionUri): (\S+)", template, re.MULTILINE)
    assert len(places) > 10
    places += [
        "template.yaml",
        "samconfig.toml",
        "uv.lock",
        "Makefile",
        "layers/layer.mk",
        "LICENSE",
    ]
    for place in [*places, ".ci/requirements.txt", "docs/licences.md", "infra/prices.json"]:
        assert any(name == place or name.startswith(f"{place}/") for name in names), place
    assert not [name for name in names if re.match(r"\.git/|\.venv|\.cache|dist/", name)]


def test_the_bill_is_valid_and_always_the_same():
    from cyclonedx.schema import SchemaVersion  # jsonschema below it takes seconds to import
    from cyclonedx.validation.json import JsonStrictValidator

    text = bill("0.1.0", MADE_AT)
    told = json.loads(text)
    for part in told["components"]:  # its check of thousands of hashes takes half a minute
        hashes = [each["hashes"][0] for each in part.get("externalReferences", ())]
        assert all(re.fullmatch(r"[0-9a-f]{64}", each["content"]) for each in hashes)
        part["externalReferences"] = part.get("externalReferences", [])[:1]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(told)) is None
    assert bill("0.1.0", MADE_AT) == text
    assert json.loads(text)["serialNumber"] != json.loads(bill("0.1.1", MADE_AT))["serialNumber"]


def test_the_bill_names_what_uv_finds_in_the_lock():
    """uv's own bill is the second computation: the same packages, and what each needs."""
    uv = next((str(path) for path in (HOUSE / ".cache/uv/bin/uv",) if path.exists()), "uv")
    groups = [word for layer in shipped.LAYERS for word in ("--group", layer)]
    try:
        ended = subprocess.run(
            [uv, "export", "--quiet", "--frozen", "--no-dev", *groups, "--format", "cyclonedx1.5"],
            cwd=HOUSE, capture_output=True, text=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no uv on the path: make setup uses one")
    assert ended.returncode == 0, ended.stderr
    theirs, ours = json.loads(ended.stdout), json.loads(bill("0.1.0", MADE_AT))
    refs = {one["bom-ref"]: one["purl"] for one in theirs["components"]}
    python = {one["purl"]: one for one in ours["components"] if one["purl"].startswith("pkg:pypi")}
    assert set(refs.values()) == set(python) and len(python) > 50
    needed = {one["ref"]: set(one["dependsOn"]) for one in ours["dependencies"]}
    for one in theirs["dependencies"]:
        if one["ref"] in refs:
            found = {refs[ref] for ref in one.get("dependsOn", ())}
            assert found == needed[refs[one["ref"]]], one["ref"]
    hashes = {
        one["purl"]: {each["hashes"][0]["content"] for each in one["externalReferences"]}
        for one in theirs["components"]
    }
    for purl, part in python.items():
        told = {each["hashes"][0]["content"] for each in part["externalReferences"]}
        assert told == hashes[purl], purl


def test_a_release_of_what_is_in_no_commit_is_refused(monkeypatch):
    monkeypatch.setattr(build, "_git", lambda *words: b" M README.md\n")
    with pytest.raises(SystemExit, match="a release is of a commit"):
        build.main()
