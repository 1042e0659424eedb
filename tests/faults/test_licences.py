"""Every shipped thing has a licence that may stand beside Apache-2.0, and says so itself too."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from license_expression import get_spdx_licensing

from release import shipped

HOUSE = Path(__file__).resolve().parents[2]
SPDX = get_spdx_licensing()
TOLD = shipped.licences()
PARTS = [*shipped.packages(), *shipped.beside()]
# What packages write where an SPDX expression should stand.
WORDS = {
    "MIT License": "MIT", "Apache License 2.0": "Apache-2.0", "ISC License": "ISC",
    "BSD License": "BSD-3-Clause", "Apache Software License": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause", "MIT License MIT No Attribution License (MIT-0)":
    "MIT-0 AND MIT",
}  # fmt: skip
SAY_NOTHING = {"resvg-py": "its LICENSE file is the text of MIT"}


def is_allowed(expression: str) -> bool:
    """Whether all of an expression, or one of its alternatives, is on the list."""
    return _allowed(SPDX.parse(expression.replace("/", " OR "), validate=True))


def _allowed(node: Any) -> bool:
    if isinstance(node, SPDX.AND):
        return all(map(_allowed, node.args))
    if isinstance(node, SPDX.OR):
        return any(map(_allowed, node.args))
    return str(node) in TOLD["allowed"]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_each_licence_may_stand_beside_ours(part):
    assert is_allowed(part.licence), f"{part.name} is under {part.licence}"


@pytest.mark.parametrize(
    "expression",
    ["GPL-3.0-only", "AGPL-3.0-or-later", "MIT AND GPL-2.0-only", "SSPL-1.0", "CC-BY-NC-4.0",
     "LGPL-3.0-only", "BUSL-1.1"],
)  # fmt: skip
def test_what_may_not_is_refused(expression):
    assert not is_allowed(expression)
    assert is_allowed(f"({expression}) OR MIT")


def test_the_list_holds_what_is_shipped_and_nothing_else():
    assert set(TOLD["packages"]) == {part.name for part in shipped.packages()}
    # And nothing is allowed that no part, and no part of a part, is under.
    used = {name for text in said_everywhere() for name in re.split(r" (?:AND|OR) |[()]", text)}
    assert set(TOLD["allowed"]) - used == set()


def said_everywhere() -> set[str]:
    inside = {licence for name in TOLD["packages"] for _, licence in compiled_in(name)}
    return inside | {part.licence for part in PARTS}


@pytest.mark.parametrize("name", sorted(TOLD["packages"]))
def test_each_package_says_of_itself_what_the_list_says(name):
    found = metadata(name)
    if name in SAY_NOTHING:
        assert said(found) == "" and "Permission is hereby granted, free of charge" in texts(name)
    else:
        assert SPDX.parse(WORDS.get(said(found), said(found))) == SPDX.parse(TOLD["packages"][name])


def metadata(name: str) -> Any:
    try:
        return importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{name} is for another system or Python than this one")


def said(found: Any) -> str:
    """By the newest field that is there: expression, then field, then classifiers."""
    kinds = [line.rpartition(" :: ")[2] for line in found.get_all("Classifier", ())
             if line.startswith("License")]  # fmt: skip
    field = found.get("License") or ""
    if len(kinds) > 1 and field in ("", "MIT"):  # a field for one of two is not the whole truth
        return " ".join(kinds)
    return found.get("License-Expression") or field or " ".join(kinds)


def texts(name: str) -> str:
    files = importlib.metadata.files(name) or ()
    return "".join(one.read_text() for one in files if "LICENSE" in one.name.upper())


def compiled_in(name: str) -> list[tuple[str, str]]:
    """What a compiled package holds of others, by the bills of materials in it."""
    try:
        files = importlib.metadata.files(name) or ()
    except importlib.metadata.PackageNotFoundError:
        return []
    bills = [json.loads(one.read_text()) for one in files if "/sboms/" in str(one)]
    return [
        (part["name"], each.get("expression") or each["license"].get("id"))
        for bill in bills for part in bill.get("components", ())
        for each in part.get("licenses", ())
    ]  # fmt: skip


def test_what_is_compiled_into_packages_may_stand_beside_ours_too():
    parts = {name: compiled_in(name) for name in TOLD["packages"]}
    counted = {name: len(found) for name, found in parts.items() if found}
    assert set(counted) >= {"cryptography", "css-inline", "pydantic-core", "resvg-py"}
    refused = [one for found in parts.values() for one in found if not is_allowed(one[1])]
    assert sum(counted.values()) > 300 and not refused


def test_every_font_is_told_and_no_script_is_somebody_else_s():
    tracked = subprocess.run(
        ["git", "ls-files", "layers", "templates", "functions"],
        cwd=HOUSE, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    told = {str(path.relative_to(HOUSE)) for one in TOLD["beside"] for pattern in one["files"]
            for path in HOUSE.glob(pattern)}  # fmt: skip
    fonts = {name for name in tracked if re.search(r"\.(otf|ttf|woff2?|eot)$", name)}
    assert fonts and fonts <= told
    ours = [name for name in tracked if name.endswith((".js", ".css", ".sql"))]
    foreign = re.compile(r"@licen[sc]e|copyright|\(c\)", re.IGNORECASE)
    assert len(ours) > 50
    assert not [name for name in ours if foreign.search((HOUSE / name).read_text("utf-8"))]
