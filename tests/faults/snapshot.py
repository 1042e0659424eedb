"""A project folder → what it holds by path, as bytes or, where these differ by design, as rows.

By design the runs around a kill leave other bytes than an undisturbed one in:

* ``raw/`` and ``quarantine/``: each run's objects have names of their own, and what a killed run
  had stored is stored again by the next. No item may be missing; one may lie there twice.
* ``kept/``: what the next measuring goes on from, cut into objects as it came to be. Its rows are
  the same.
* a state's ``rows``, which the last run changed; when and by which run a mail was sent; the mark of
  a lake to be counted anew; and a probe of the store, which ``muster lake repair`` takes away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from muster.lake import raw

Snapshot = dict[str, list[str]]
_ITEMS, _ROWS = ("lake/raw/", "lake/quarantine/"), "lake/kept/"
_OF_A_CALL = ("rows", "started_at", "sent_at", "run")
_OF_A_RUN = ("lake/kept/manifest.json", "lake/kept/since", "lake/probe-")


def taken(folder: Path, bucket: str = "") -> Snapshot:
    """What lake, site and outbox hold; wherever they say where they lie, it is the same place."""
    here = (bucket or str(folder / "lake")).encode()
    found: dict[str, set[str]] = {}
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if name.startswith(_ITEMS):
            lines = raw.unpack(path.read_bytes())
            found.setdefault(str(Path(name).parent), set()).update(map(_digest, lines))
        elif name.startswith(_OF_A_RUN):
            continue
        elif name.startswith(_ROWS):
            rows = map(repr, pq.ParquetFile(path).read().to_pylist())
            found.setdefault("/".join(name.split("/")[:3]), set()).update(map(_digest, rows))
        else:
            found[name] = {_digest(_told(name, path.read_bytes().replace(here, b".")))}
    return {name: sorted(held) for name, held in found.items()}


def differences(found: Snapshot, expected: Snapshot) -> list[str]:
    """Where what was found is not what is expected."""
    return sorted(
        name
        for name in found.keys() | expected.keys()
        if not _is_as(name, found.get(name, []), expected.get(name, []))
    )


def _is_as(name: str, found: list[str], expected: list[str]) -> bool:
    return set(found) >= set(expected) if name.startswith(_ITEMS) else found == expected


def _files(folder: Path) -> Iterator[Path]:
    for place in ("lake", "site", "outbox"):
        found = (path for path in (folder / place).rglob("*") if path.is_file())
        yield from (path for path in found if ".muster" not in path.parts)


def _told(name: str, data: bytes) -> bytes:
    if not name.startswith(("lake/state/", "lake/people/settled", "outbox/")) or data[:1] != b"{":
        return data
    facts = json.loads(data)
    if name.startswith("lake/people/"):
        return repr(sorted(facts)).encode()
    return json.dumps({key: facts[key] for key in facts if key not in _OF_A_CALL}).encode()


def _digest(data: str | bytes) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()
