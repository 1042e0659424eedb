"""What an earlier measuring left behind so that the next need not count everything again.

The lake's folder ``kept/`` holds, besides ``tables/conversations``, the tables that the next run
goes on from, and a manifest that says what they rest on. Whoever changes rows of the past without
a new ``observed_at`` (erasing, replaying) takes the folder away: the next run counts from scratch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

import muster
from muster.kpis import steps
from muster.records import KEPT, KEPT_SINCE
from muster.remembered import UNREADABLE
from muster.settings import Settings
from muster.store import Store

MANIFEST = f"{KEPT}manifest.json"
OWN = (MANIFEST, KEPT_SINCE)
CODE = Path(__file__).parent
SLACK = timedelta(days=1)  # a fetch that observed before the earlier run may have merged after it
PUBLIC = ("conversations",)  # kept where everybody reads them
TRACKED = ("messages", "threads")
_OF_NO_NUMBER = {"reports", "goals", "events", "site", "lake", "sending", "sender", "alerts"}


@dataclass(frozen=True)
class Kept:
    """What the kept tables rest on: lake objects by key with their ETags, and the run's facts."""

    fingerprint: str
    since: str
    as_of: datetime
    covered: tuple[tuple[str, str, datetime, datetime], ...]
    read: Mapping[str, str]
    written: Mapping[str, str]

    @property
    def watermark(self) -> datetime:
        """Since when a row of the lake may have been observed without that run knowing it."""
        return self.as_of - SLACK


def load(lake: Store) -> Kept | None:
    """The manifest, or ``None`` if there is none or one of another release."""
    stored = lake.get(MANIFEST)
    try:
        return msgspec.json.decode(stored.data, type=Kept) if stored else None
    except UNREADABLE:
        return None


def save(lake: Store, kept: Kept) -> None:
    """Write the manifest, the last of all that is kept."""
    lake.put(MANIFEST, msgspec.json.encode(kept))


def since(lake: Store) -> str:
    """What ``forget`` changes: a run goes on from one that began under the same."""
    stored = lake.get(KEPT_SINCE)
    return stored.data.decode(errors="replace") if stored else ""


def read_objects(lake: Store) -> dict[str, str]:
    """The objects of the tracked tables by key, with their ETags."""
    return {entry.key: entry.etag for table in TRACKED for entry in lake.list(f"tables/{table}/")}


def oldest(lake: Store, read: Iterable[str]) -> dict[str, Sequence[str]]:
    """Of each tracked table the addresses of those objects that are of its first month."""
    found: dict[str, dict[str, list[str]]] = {table: {} for table in TRACKED}
    for key in read:
        by_month = found[key.split("/")[1]]
        by_month.setdefault(key.partition("/month=")[2][:7], []).append(key)
    return {table: lake.urls(months[min(months)]) for table, months in found.items() if months}


def written_objects(lake: Store) -> dict[str, str]:
    """The objects of the kept tables by key, with their ETags."""
    folders = (KEPT, *(f"tables/{name}/" for name in PUBLIC))
    found = (entry for folder in folders for entry in lake.list(folder))
    return {entry.key: entry.etag for entry in found if entry.key not in OWN}


def table_of(key: str) -> str:
    """The kept table an object belongs to."""
    return key.removeprefix(KEPT).removeprefix("tables/").partition("/")[0]


def are_there(kept: Kept, lake: Store) -> bool:
    """Whether the kept tables are as that run wrote them; tables of another release aside."""
    names = {table_of(key) for key in kept.written}
    found = written_objects(lake).items()
    return kept.written == {key: etag for key, etag in found if table_of(key) in names}


def folder(name: str) -> str:
    """Where a kept table's objects lie."""
    return f"tables/{name}/" if name in PUBLIC else f"{KEPT}{name}/"


def fingerprint(settings: Settings, rests_on: Mapping[str, Any], connection: Any) -> str:
    """Equal for two runs of which the later can go on from the earlier: the same shared SQL, code,
    settings, releases and first day, and as ``Run.rests_on`` says of the KPIs."""
    begins = connection.execute("select min(start_at) from day_spans").fetchall()[0][0]
    rules = {
        "sql": steps.load(),
        "code": _code(),
        "kpis": rests_on,
        "settings": settings.model_dump_json(exclude=_OF_NO_NUMBER),
        "begins": str(begins),
        "releases": [muster.__version__, version("duckdb"), version("holidays")],
    }
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def _code() -> str:
    """Of the modules that measure: whoever runs main has many states of them in one release."""
    found = hashlib.sha256()
    for path in sorted(CODE.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def is_still_good(kept: Kept, now: Kept, back: timedelta) -> bool:
    """Whether a run whose manifest will be ``now`` can go on from what an earlier one kept.

    ``back`` is how long before the earlier run's time values still move.
    """
    settled = kept.as_of - back
    return (
        (kept.fingerprint, kept.since) == (now.fingerprint, now.since)
        and kept.as_of <= now.as_of
        and _until(kept.covered, settled) == _until(now.covered, settled)
    )


def _until(
    spans: Iterable[tuple[str, str, datetime, datetime]], end: datetime
) -> list[tuple[str, str, datetime, datetime]]:
    cut = ((source, table, start, min(stop, end)) for source, table, start, stop in spans)
    return sorted(span for span in cut if span[2] < span[3])
