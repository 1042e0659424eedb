"""The readable objects of a table → keys that stand in several, replies without their parent.

It is asked of an engine that spills to disk, so that a lake of any size is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from muster.lake.findings import Finding
from muster.lake.places import Place
from muster.records import Table

#: Each key that stands in several objects, with the addresses of those.
Copies = Iterator[tuple[tuple[Any, ...], frozenset[str]]]
_BATCH = 5_000


def copies(engine: Any, table: Table, urls: Sequence[str]) -> Copies:
    """Keys that stand in more than one of the objects, none of which is of another source."""
    if len(urls) < 2:
        return
    key = ", ".join(f'"{name}"' for name in table.key)
    found = engine.execute(
        f"select {key}, list(distinct filename) from {_files(urls)} "
        f"group by {key} having count(distinct filename) > 1"
    )
    while rows := found.fetchmany(_BATCH):
        yield from ((tuple(row[:-1]), frozenset(row[-1])) for row in rows)


def orphans(engine: Any, places: Mapping[str, Place]) -> Iterator[Finding]:
    """For each source its replies whose parent the lake does not hold; ``places`` by address."""
    found: dict[str, list[str]] = {}
    for url, place in places.items():
        if place.name == "messages":
            found.setdefault(place.source, []).append(url)
    for source, urls in found.items():
        files = _files(urls)
        (count,) = engine.execute(
            f"select count(*) from (select parent_id from {files} where parent_id is not null) "
            f"anti join (select message_id from {files}) on message_id = parent_id"
        ).fetchone()
        if count:
            yield Finding("orphans", f"tables/messages/source={source}", count)


def _files(urls: Sequence[str]) -> str:
    listed = ", ".join("'" + url.replace("'", "''") + "'" for url in urls)
    options = "union_by_name = true, hive_partitioning = false, filename = true"
    return f"read_parquet([{listed}], {options})"
