"""A site's files → its place, so that a reader finds the old publication or the new one, whole.

Everything that the overview leads to is written first; the overview is one write, and publishes.
Killed at any of them, the site is the old one, and the next run goes on. Publications that are no
longer the newest stay for those who are reading them.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from muster.at_once import AT_ONCE, put_all
from muster.reports import addresses
from muster.store import Store

KEPT = 3  # publications that stay: the newest, and what somebody may still have open
FIXED = ("assets/", addresses.VERSIONS)  # what is there has these bytes: its folder says so


def put(site: Store, files: Mapping[str, bytes]) -> None:
    """Write what is new or changed, ``index.html`` last; then take old publications away."""
    version = next(filter(None, map(addresses.version_of, files)))
    there = {entry.key for prefix in ("assets/", version) for entry in site.list(prefix)}
    fixed = [path for path in files if path.startswith(FIXED) and path not in there]
    ways_in = (addresses.INDEX, addresses.OVERVIEW)
    plain = [path for path in files if path not in ways_in and not path.startswith(FIXED)]
    put_all(site, ((path, files[path]) for path in fixed))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda path: _put_if_new(site, path, files[path]), plain))
    for path in ways_in:
        _put_if_new(site, path, files[path])
    _take_away(site, version)


def _put_if_new(site: Store, path: str, content: bytes) -> None:
    there = site.get(path)
    if there is None or there.data != content:
        site.put(path, content)


def _take_away(site: Store, newest: str) -> None:
    """Delete all publications but the newest and those before it that somebody may be reading."""
    keys = [entry.key for entry in site.list(addresses.VERSIONS)]
    versions = sorted({addresses.version_of(key) for key in keys} - {newest}, reverse=True)
    for key in keys:
        if addresses.version_of(key) in versions[KEPT - 1 :]:
            site.delete(key)
