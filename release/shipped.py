"""``uv.lock`` and ``licences.toml`` → everything that is shipped, and docs/licences.md.

Shipped is what the command line installs and what the functions' layers hold; what only tests and
builds use is not.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[1]
LOCK = HOUSE / "uv.lock"
LICENCES = HOUSE / "release" / "licences.toml"
LAYERS = ("fetch-deps", "measure-deps", "report-deps")
LAPTOP = "command line"
HEAD = """# Licences of what is shipped

Made by `make docs` from `uv.lock` and `release/licences.toml`. `tests/faults/test_licences.py`
holds it against what each package says of itself, and against the bills of materials that compiled
packages carry. Muster is under Apache-2.0.

"""


@dataclass(frozen=True)
class Shipped:
    """One thing that is shipped: a package at a version, a font, a model."""

    name: str
    version: str
    licence: str
    where: tuple[str, ...]
    purl: str
    hashes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    what: str = ""


def lock() -> dict[str, dict[str, Any]]:
    """The packages of uv.lock by name, without those that are locked in two versions.

    Only packages for tests are (for older Pythons); what is shipped would be missed by name.
    """
    packages = tomllib.loads(LOCK.read_text("utf-8"))["package"]
    versions = Counter(one["name"] for one in packages)
    return {one["name"]: one for one in packages if versions[one["name"]] == 1}


def licences() -> dict[str, Any]:
    """What licences.toml says: ``allowed``, ``packages``, ``beside``."""
    return tomllib.loads(LICENCES.read_text("utf-8"))


def packages() -> Iterator[Shipped]:
    """Every shipped package of Python's, by name; ``KeyError`` for one of no known licence."""
    locked, told = lock(), licences()["packages"]
    muster = locked["muster"]
    asked = {LAPTOP: muster["dependencies"]}
    asked |= {layer: muster["dev-dependencies"][layer] for layer in LAYERS}
    reached = {where: _reached(locked, wanted) for where, wanted in asked.items()}
    extras = set().union(*reached.values())
    for name in sorted({name for name, _ in extras}):
        one = locked[name]
        needs = [each for key in sorted(extras) if key[0] == name for each in _needs(one, key[1])]
        yield Shipped(
            name, one["version"], told[name],
            where=tuple(at for at, keys in reached.items() if name in {key[0] for key in keys}),
            purl=f"pkg:pypi/{name}@{one['version']}",
            hashes=tuple(file["hash"] for file in files(one)),
            needs=tuple(sorted({each["name"] for each in needs})),
        )  # fmt: skip


def files(package: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The files of a locked package: its source's archive, its wheels."""
    source = [package["sdist"]] if "sdist" in package else []
    return [*source, *package.get("wheels", ())]


def _reached(
    locked: Mapping[str, Any], wanted: Iterable[Mapping[str, Any]]
) -> set[tuple[str, tuple[str, ...]]]:
    """What these dependencies bring with them, on any machine: names, with their extras."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    waiting = list(wanted)
    while waiting:
        one = waiting.pop()
        key = one["name"], tuple(one.get("extra", ()))
        if key not in seen:
            seen.add(key)
            waiting += _needs(locked[key[0]], key[1])
    return seen


def _needs(package: Mapping[str, Any], extras: Iterable[str]) -> list[Mapping[str, Any]]:
    """What a package asks for, with what these extras of it ask for besides."""
    optional = package.get("optional-dependencies", {})
    more = [one for extra in extras for one in optional[extra]]
    return [*package.get("dependencies", ()), *more]


def beside() -> Iterator[Shipped]:
    """What is shipped and is no package of Python's."""
    for one in licences()["beside"]:
        yield Shipped(
            one["name"], one["version"], one["licence"], ("site and mail",), one["purl"],
            what=one["what"],
        )  # fmt: skip


def document() -> str:
    """docs/licences.md."""
    rows = [
        f"| {one.name} | {one.version} | {one.licence} | {one.what or ', '.join(one.where)} |\n"
        for one in (*packages(), *beside())
    ]
    allowed = [f"| {name} | {why} |\n" for name, why in licences()["allowed"].items()]
    return (
        HEAD + "| what | version | licence | where |\n| --- | --- | --- | --- |\n" + "".join(rows)
        + "\n## Why each may stand beside Apache-2.0\n\n"
        + "| licence (SPDX) | why |\n| --- | --- |\n" + "".join(allowed)
    )  # fmt: skip
