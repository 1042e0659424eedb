"""Each mistake of tests/golden/mistakes, put into a copy of the library, makes its tests fail.

By default every patch is tried for its fit, and three are run; ``make test-mistakes`` runs all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from thorough import IS_THOROUGH

import muster

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(muster.__file__).parent
TABLE = yaml.load((ROOT / "tests/golden/mistakes/mistakes.yaml").read_bytes(), yaml.CSafeLoader)
SHORT = 3
# A copy that cannot run would fail every test: that shows nothing.
_BROKEN = re.compile(
    r"(Binder|Parser|Catalog|Conversion)(Exception| Error)|SQL cannot be run"
    r"|\b(Name|Import|Syntax|Type|Attribute)Error\b|no tests ran"
)


def _ways() -> Iterator[Any]:
    for row in TABLE:
        for number, way in enumerate(row["ways"], 1):
            yield pytest.param(way, id=f"{row['mistake']} ({number})")


WAYS = list(_ways())
CHOSEN = WAYS if IS_THOROUGH else WAYS[:: len(WAYS) // SHORT]


@pytest.mark.parametrize("way", WAYS)
def test_the_patch_fits_the_code_as_it_is(way):
    texts: dict[str, str] = {}
    for patch in way["patches"]:
        before = texts.get(patch["file"]) or (LIBRARY / patch["file"]).read_text(encoding="utf-8")
        texts[patch["file"]] = _patched(before, patch)


def test_every_test_that_must_fail_exists():
    named = sorted({test for row in TABLE for way in row["ways"] for test in way["fails"]})
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "--collect-only", "-q", *named]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr[-2000:]


@pytest.mark.parametrize("way", CHOSEN)
def test_the_mistake_put_in_makes_its_tests_fail(way, tmp_path):
    shutil.copytree(LIBRARY, tmp_path / "muster", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "templates", tmp_path / "muster" / "templates")
    for patch in way["patches"]:
        file = tmp_path / "muster" / patch["file"]
        file.write_text(_patched(file.read_text(encoding="utf-8"), patch), encoding="utf-8")
    told = _run(tmp_path, way["fails"])
    assert not _BROKEN.search(told), told
    # A test with parameters fails in each.
    failed = re.search(r"^(\d+) failed\b", told, re.MULTILINE)
    assert failed and int(failed[1]) >= len(way["fails"]), told
    assert " passed" not in told and " error" not in told, told


def _patched(text: str, patch: dict[str, str]) -> str:
    """The text with the mistake in; lines of ``old`` match at whatever depth they stand."""
    pattern = r"\n[ ]*".join(re.escape(line.strip(" ")) for line in patch["old"].split("\n"))
    assert len(re.findall(pattern, text)) == 1, f"{patch['file']} has this not once: {patch['old']}"
    return re.sub(pattern, lambda _: patch["new"], text)


def _run(folder: Path, tests: list[str]) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr
