"""A bucket → the same bucket, whose small objects lie near while a run reads them over and over.

DuckDB asks a server for an object's length and footer anew in every statement: a measuring that
goes on would ask some thousand times for objects that are a few kB each.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from muster import scratch
from muster.at_once import AT_ONCE
from muster.store import Entry, S3Store, Store

SMALL = 1 << 20  # in bytes; of a larger object few columns may be wanted
ROOM = 128 << 20  # for all of them: a function has 512 MB of disk, and DuckDB spills there


@contextmanager
def nearby(lake: Store) -> Iterator[Store]:
    """The lake for one run: a folder as it is, a bucket with copies that go when the run ends."""
    if not isinstance(lake, S3Store):
        yield lake
        return
    folder = scratch.own_folder()
    try:
        yield NearbyStore(lake.client, lake.bucket, lake.prefix, lake.page_size, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class NearbyStore(S3Store):
    """A bucket with copies in ``folder`` of small objects that were listed or put, as of then."""

    folder: Path = Path()
    _listed: dict[str, Entry] = field(default_factory=dict)
    _copies: dict[Entry, Path] = field(default_factory=dict)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        for entry in super().list(prefix):
            self._listed[entry.key] = entry
            yield entry

    def put(
        self, key: str, data: bytes, *, if_match: str | None = None, if_new: bool = False
    ) -> str:
        etag = super().put(key, data, if_match=if_match, if_new=if_new)
        self._listed[key] = Entry(key, len(data), etag)
        for entry in self._wanted([key]):
            self._keep(entry, data)
        return etag

    def urls(self, keys: Iterable[str]) -> tuple[str, ...]:
        keys = tuple(keys)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for _ in threads.map(self._copy, self._wanted(keys)):
                pass  # what one of them raised is raised here
        return tuple(map(self._nearest, keys))

    def _wanted(self, keys: Iterable[str]) -> Iterator[Entry]:
        """Of these objects the small ones without a copy, as far as there is room."""
        left = ROOM - sum(entry.size for entry in list(self._copies))  # others may add to them
        for entry in map(self._listed.get, keys):
            if entry and entry not in self._copies and entry.size <= min(SMALL, left):
                left -= entry.size
                yield entry

    def _copy(self, entry: Entry) -> None:
        stored = self.get(entry.key)
        if stored and stored.etag == entry.etag:  # else whoever reads it finds what is there now
            self._keep(entry, stored.data)

    def _keep(self, entry: Entry, data: bytes) -> None:
        """A copy for good: what replaces the object is another, so that a run reads one state."""
        version = "".join(filter(str.isalnum, entry.etag))
        path = self.folder / version / entry.key
        with suppress(OSError):  # no copy, if the disk is full
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            self._copies[entry] = path

    def _nearest(self, key: str) -> str:
        entry = self._listed.get(key)
        copy = self._copies.get(entry) if entry else None
        return copy.as_posix() if copy else self.url(key)
