"""Every locked package → which of them a database of vulnerabilities knows something against.

``make audit`` asks OSV; ``make audit ADVISORIES=FOLDER`` reads a clone of the Python Packaging
Authority's advisory database, for a machine without a network. Exit 0: nothing known; 1: found;
2: no database could be asked, so nothing is known either way.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from packaging.version import InvalidVersion, Version

from release.shipped import HOUSE, LICENCES, LOCK, beside

OSV = os.environ.get("OSV", "https://api.osv.dev")
AT_ONCE = 500
OLD = 90  # days after which a copy of a database is no longer news
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*?)(?:\[.*\])?==([^\s;\\]+)", re.MULTILINE)
PARTS = (".ci", "layers", "tests")  # where lists lie
Locked = tuple[str, str, str]  # ecosystem, name, version
INSTEAD = (
    "no database of vulnerabilities is reachable from here; clone pypa/advisory-database "
    "elsewhere and name it: make audit ADVISORIES=FOLDER"
)
# Lists of what is shipped to nobody and reached by nobody, with why an old version in it may stay.
EXCUSED = {
    "tests/real/mastodon/requirements.txt": "Takahe's own old versions: a server on loopback, for "
    "the minutes of `make test-mastodon`",
}
# Known to be vulnerable for ever: a database that finds nothing here was not really asked.
CANARY: Locked = ("PyPI", "jinja2", "2.10")


class NoDatabase(Exception):
    """None could be asked; the message says why."""


def main(arguments: list[str]) -> int:
    """Print what is known against anything locked."""
    wanted = locked()
    try:
        found, told = from_folder(Path(arguments[0]), wanted) if arguments else from_osv(wanted)
    except NoDatabase as error:
        print(f"NOT AUDITED: {error}", INSTEAD, sep="\n")
        return 2
    excused = {one for one in found if wanted[one] <= EXCUSED.keys()}
    for one, ids in sorted(found.items()):
        why = f" (excused: {EXCUSED[min(wanted[one])]})" if one in excused else ""
        lists = ", ".join(sorted(wanted[one], key=len))
        print(f"{one[1]} {one[2]}: {', '.join(sorted(ids))}; in {lists}{why}")
    bad = len(found) - len(excused)
    print(f"{len(wanted)} locked packages against {told}: {bad} with known vulnerabilities, "
          f"{len(excused)} more excused")  # fmt: skip
    return int(bad > 0)


def locked() -> dict[Locked, set[str]]:
    """Everything that is locked, and the lists that name it."""
    found: dict[Locked, set[str]] = {}
    for one, place in _each_locked():
        found.setdefault(one, set()).add(place)
    return dict(sorted(found.items()))


def _each_locked() -> Iterator[tuple[Locked, str]]:
    for one in tomllib.loads(LOCK.read_text("utf-8"))["package"]:
        if one["name"] != "muster":
            yield ("PyPI", one["name"], one["version"]), LOCK.name
    for path in _listed("requirements*.txt"):
        for name, version in _PINNED.findall(path.read_text("utf-8")):
            yield ("PyPI", _normal(name), version), str(path.relative_to(HOUSE))
    for path in _listed("package-lock.json"):
        for place, one in json.loads(path.read_text("utf-8"))["packages"].items():
            if place:
                name = place.rpartition("node_modules/")[2]
                yield ("npm", name, one["version"]), str(path.relative_to(HOUSE))
    for part in beside():
        if part.purl.startswith("pkg:npm"):
            yield ("npm", part.name, part.version), LICENCES.name


def _listed(name: str) -> list[Path]:
    return sorted(path for part in PARTS for path in (HOUSE / part).rglob(name))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def from_osv(wanted: Iterable[Locked]) -> tuple[dict[Locked, set[str]], str]:
    """What OSV knows, and how the database is called."""
    asked = [CANARY, *wanted]
    answers: list[Any] = []
    for start in range(0, len(asked), AT_ONCE):
        queries = [
            {"package": {"ecosystem": ecosystem, "name": name}, "version": version}
            for ecosystem, name, version in asked[start : start + AT_ONCE]
        ]
        try:
            answer = httpx.post(f"{OSV}/v1/querybatch", json={"queries": queries}, timeout=60)
            answers += answer.raise_for_status().json()["results"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise NoDatabase(f"{OSV} did not answer: {error}") from error
    found = {
        one: {each["id"] for each in answer["vulns"]}
        for one, answer in zip(asked, answers, strict=True) if answer.get("vulns")
    }  # fmt: skip
    return _without_canary(found, OSV), "OSV"


def from_folder(folder: Path, wanted: Iterable[Locked]) -> tuple[dict[Locked, set[str]], str]:
    """What a clone of pypa/advisory-database knows (PyPI only), and how old it is."""
    read = _reader(folder)
    asked = [CANARY, *(one for one in wanted if one[0] == "PyPI")]
    found: dict[Locked, set[str]] = {}
    for one in asked:
        ids = {told["id"] for told in read(one[1]) if _concerns(told, one[1], one[2])}
        if ids:
            found[one] = ids
    newest = datetime.fromtimestamp(int(_git(folder, "log", "-1", "--format=%ct")), UTC)
    days = (datetime.now(UTC) - newest).days
    old = f", {days} DAYS OLD: what came to light since is not in it" if days > OLD else ""
    told = f"pypa/advisory-database of {newest:%Y-%m-%d}{old} (PyPI's {len(asked) - 1} only)"
    return _without_canary(found, str(folder)), told


def _reader(folder: Path) -> Any:
    """The advisories about a package, from any clone, with files or without."""
    try:
        names = _git(folder, "ls-tree", "-r", "--name-only", "HEAD", "vulns/").splitlines()
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoDatabase(f"{folder} is no clone of a database") from error
    by_name: dict[str, list[str]] = {}
    for name in names:
        by_name.setdefault(_normal(name.split("/")[1]), []).append(name)

    def read(package: str) -> Iterator[dict[str, Any]]:
        for name in by_name.get(package, ()):
            told = yaml.safe_load(_git(folder, "show", f"HEAD:{name}"))
            if "withdrawn" not in told:
                yield told

    return read


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "safe.directory=*", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _concerns(told: dict[str, Any], name: str, version: str) -> bool:
    """Whether an advisory is about this version: by its list of versions, or its ranges."""
    for one in told.get("affected", ()):
        if _normal(one["package"]["name"]) == name and (
            version in one.get("versions", ())
            or any(_within(each["events"], version) for each in one.get("ranges", ())
                   if each["type"] == "ECOSYSTEM")
        ):  # fmt: skip
            return True
    return False


def _within(events: Iterable[dict[str, str]], version: str) -> bool:
    """Whether a version lies between "introduced" and the "fixed" or "last_affected" after it."""
    is_in = False
    try:
        at = Version(version)
        for event in events:
            ((what, since),) = event.items()
            if what == "introduced" and at >= Version(since):
                is_in = True
            elif (what == "fixed" and at >= Version(since)) or (
                what == "last_affected" and at > Version(since)
            ):
                is_in = False
    except InvalidVersion:
        return False
    return is_in


def _without_canary(found: dict[Locked, set[str]], database: str) -> dict[Locked, set[str]]:
    if CANARY not in found:
        raise NoDatabase(f"{database} knows nothing against {' '.join(CANARY[1:])}: no database")
    return {one: ids for one, ids in found.items() if one != CANARY}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
