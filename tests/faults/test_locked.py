"""Whatever is installed, anywhere, is locked to a version and to the hashes of its files."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from release.shipped import LAYERS, files

HOUSE = Path(__file__).resolve().parents[2]
PINNED = re.compile(
    r"([A-Za-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?==(\S+?)(?: ?; .+?)?((?: --hash=sha256:\w{64})*)"
)
LOCK = tomllib.loads((HOUSE / "uv.lock").read_text("utf-8"))["package"]
TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=HOUSE, check=True, capture_output=True, text=True
).stdout.splitlines()
LISTS = [name for name in TRACKED if re.search(r"requirements[^/]*\.txt$", name)]


def unfolded(name: str) -> list[str]:
    """The lines of a file, with the continued ones joined."""
    text = (HOUSE / name).read_text("utf-8").replace("\\\n", " ")
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]


def test_every_file_in_uv_lock_has_a_hash_and_comes_from_the_index():
    for one in LOCK:
        if one["name"] == "muster":
            assert one["source"] == {"editable": "."}
            continue
        assert set(one["source"]) == {"registry"}, one["name"]
        assert files(one), one["name"]
        assert all(re.fullmatch(r"sha256:\w{64}", file["hash"]) for file in files(one)), one["name"]


@pytest.mark.parametrize("name", LISTS)
def test_every_line_of_a_list_is_one_version_with_its_hashes(name):
    found = [PINNED.fullmatch(line) for line in unfolded(name) if not line.startswith("#")]
    assert found
    assert all(match and match[3] for match in found), name


def test_the_lists_are_those_we_know():
    assert len(LISTS) == 13
    made = [name for name in LISTS if not name.startswith("layers/")]
    assert [name for name in made if name.removesuffix(".txt") + ".in" not in TRACKED] == []


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_made_of_the_very_files_of_the_lock(layer):
    locked = {(one["name"], one["version"]): {file["hash"] for file in files(one)} for one in LOCK}
    lines = [PINNED.fullmatch(line) for line in unfolded(f"layers/{layer}/requirements.txt")]
    for match in lines:
        hashes = set(match[3].replace("--hash=", "").split())
        assert hashes == locked[match[1], match[2]], match[1]
    (root,) = (one for one in LOCK if one["name"] == "muster")
    asked = {one["name"] for one in root["dev-dependencies"][layer]}
    assert asked <= {match[1] for match in lines}


@pytest.mark.parametrize("name", [name for name in LISTS if not name.startswith("layers/")])
def test_what_is_asked_for_is_what_is_locked(name):
    """Of a list that names exact versions; the others bound them."""
    locked = {match[1]: match[2] for match in map(PINNED.fullmatch, unfolded(name))}
    asked = [re.fullmatch(r"([\w.-]+)(?:\[.+\])?==(\S+)", line.partition(" #")[0].strip())
             for line in unfolded(name.removesuffix(".txt") + ".in")]  # fmt: skip
    exact = {match[1]: match[2] for match in asked if match}
    assert exact or "mastodon" in name
    assert exact.items() <= locked.items()


def test_every_package_of_npm_has_its_digest():
    (name,) = (name for name in TRACKED if name.endswith("package-lock.json"))
    told = json.loads((HOUSE / name).read_text("utf-8"))["packages"]
    assert len(told) > 100
    for place, one in told.items():
        assert not place or one["integrity"].startswith("sha512-"), place
    asked = json.loads((HOUSE / name).with_name("package.json").read_text("utf-8"))
    assert told[""]["dependencies"] == asked["dependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in asked["dependencies"].values())


INSTALLS = re.compile(r"\bpip\"? install\b|npm-cli.js\" |\bnpm (?:i|ci|install)\b|--with ")
LOCKED = re.compile(r"--require-hashes|\bci\b|--package-lock-only")


def test_nothing_installs_what_no_list_locks():
    scripts = [name for name in TRACKED if re.search(r"(Makefile|\.mk|\.sh|\.ci/run)$", name)]
    said = re.compile(r"^#.*|echo \"[^\"]*\"")
    lines = (said.sub("", line) for name in scripts for line in unfolded(name))
    installs = [line for line in lines if INSTALLS.search(line)]
    assert len(installs) >= 9
    assert [line for line in installs if not LOCKED.search(line)] == []
