"""The settings' bucket → every version it keeps of them, and the settings as they once were.

A version is a file as somebody pushed it, or its deletion. Settings are of several files, so the
settings of a version are all files as they were at the moment it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from muster.account.aws import said_plainly
from muster.account.config import OURS, Moved, adopt, unpushed
from muster.errors import BadSettings
from muster.project import SETTINGS_FILE
from muster.store import S3Store, Store

SHORTEST = 6


@dataclass(frozen=True)
class Version:
    """A file of the settings at one time: ``put`` or ``deleted`` then, and whether it is so now."""

    id: str
    file: str
    at: datetime
    what: str
    size: int
    is_now: bool


def versions(lake: Store) -> tuple[Version, ...]:
    """Every version there is, newest first; a push is told in the order in which it wrote."""
    store = _bucket(lake)
    with said_plainly(f"versions of {lake.url()}"):
        pages = store.client.get_paginator("list_object_versions").paginate(
            Bucket=store.bucket, Prefix=store.prefix
        )
        found = [one for page in pages for one in _of_page(page, store.prefix)]
    # What was written in one second lies in the order of a push: muster.yaml last.
    return tuple(sorted(found, key=lambda one: (one.at, one.file == SETTINGS_FILE), reverse=True))


def _bucket(lake: Store) -> S3Store:
    if not isinstance(lake, S3Store):
        raise BadSettings(f"{lake.url()}: a folder keeps no versions; a stack's bucket does")
    return lake


def _of_page(page: Any, prefix: str) -> Iterator[Version]:
    for kind, what in (("Versions", "put"), ("DeleteMarkers", "deleted")):
        for one in page.get(kind, ()):
            file = one["Key"].removeprefix(prefix)
            if OURS.fullmatch(file):
                yield Version(one["VersionId"], file, one["LastModified"], what,
                              one.get("Size", 0), one["IsLatest"])  # fmt: skip


def pull(folder: Path, lake: Store, version: str, *, force: bool = False) -> tuple[Version, Moved]:
    """Make the folder what the settings were when ``version`` was written; nothing changes there.

    ``version`` may be the beginning of its id. A push then brings these settings back, as new
    versions. ``BadSettings`` if something here was never pushed; ``force`` writes over it.
    """
    there = versions(lake)
    chosen = _named(version, there)
    then = dict(_contents(_bucket(lake), as_of(there, chosen)))
    if SETTINGS_FILE not in then:
        raise BadSettings(f"version {version!r}: there was no {SETTINGS_FILE} then: take another")
    lost = unpushed(folder, lake, then)
    if lost and not force:
        raise BadSettings(
            f"{', '.join(lost)}: changed here and never pushed, and would be lost: push or move it "
            "aside first, or overwrite: --force"
        )
    return chosen, adopt(folder, lake, then)


def _named(version: str, there: Iterable[Version]) -> Version:
    found = [one for one in there if one.id.startswith(version)]
    exact = [one for one in found if one.id == version]
    if len(version) < SHORTEST and not exact:
        raise BadSettings(f"version {version!r}: write {SHORTEST} letters of it or more")
    if len(exact or found) != 1:
        told = "is none of these settings" if not found else "begins several versions"
        raise BadSettings(f"version {version!r} {told}: see muster config history")
    return (exact or found)[0]


def as_of(there: Iterable[Version], chosen: Version) -> dict[str, Version]:
    """Each file's version at the moment ``chosen`` was written; files deleted by then are none."""
    found: dict[str, Version] = {}
    for one in there:
        if one.at <= chosen.at and (one.file != chosen.file or one == chosen):
            found.setdefault(one.file, one)
    return {file: one for file, one in found.items() if one.what == "put"}


def _contents(store: S3Store, wanted: dict[str, Version]) -> Iterator[tuple[str, bytes]]:
    with said_plainly(f"versions of {store.url()}"):
        for file, one in wanted.items():
            answer = store.client.get_object(
                Bucket=store.bucket, Key=store.prefix + file, VersionId=one.id
            )
            yield file, answer["Body"].read()
