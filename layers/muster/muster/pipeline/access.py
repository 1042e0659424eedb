"""A member's request to see what is held of them → all of it, and nothing of anybody else's.

Their account, what they wrote, answered, bought and opened, the items of the platform these were
read from, and which of their accounts are taken for one person, with the evidence.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from muster import as_json
from muster.errors import BadSettings
from muster.lake import erasing, person_ids, raw, suppression
from muster.pipeline.erase import source_of
from muster.pipeline.whose import is_theirs
from muster.project import Project
from muster.records import Item


@dataclass(frozen=True)
class Held:
    """What is held of a member: rows by table, items as received, decisions about persons."""

    source: str
    member: str
    at: str
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    items: Sequence[Mapping[str, Any]]
    refused: Sequence[Mapping[str, Any]]
    person: Sequence[Mapping[str, Any]]

    def counts(self) -> dict[str, int]:
        """How much there is of each kind; it names nobody."""
        tables = {name: len(rows) for name, rows in self.tables.items()}
        others = {"items": self.items, "refused": self.refused, "person": self.person}
        return tables | {name: len(found) for name, found in others.items() if found}


def held(project: Project, source: str, member: str) -> Held:
    """All that the lake holds of a member; of one who was erased there is nothing."""
    found_in, lake = source_of(project, source), project.lake
    traces = erasing.traces(lake, source, member)
    check = is_theirs(found_in, suppression.naming(traces.names, traces.threads))
    tables: dict[str, list[Mapping[str, Any]]] = {}
    for name, row in erasing.rows_about(lake, source, member, traces.threads):
        tables.setdefault(name, []).append(row)
    pages, mine = (raw.read(lake, source), lambda item: _names(item, traces) and check(item))
    kept = (pair for of in (source, "import") for pair in raw.read_quarantine(lake, of))
    return Held(
        source,
        member,
        project.clock().isoformat(),
        tables,
        [_plain(item) for item in pages if mine(item)],
        [{**_plain(item), "reason": why} for item, why in kept if mine(item)],
        [asdict(one) for one in person_ids.load(lake) if (source, member) in one.pair],
    )


def _names(item: Item, traces: erasing.Traces) -> bool:
    """Whether an item is worth mapping: most of them never heard of the member."""
    line = raw.item_line(item)
    told = (*traces.names, *traces.threads)
    return any(one in line for name in told for one in as_json.spelled(name))


def _plain(item: Item) -> dict[str, Any]:
    return {"stream": item.stream, "seen_at": item.seen_at, "body": item.body}


def write(found: Held, path: Path) -> None:
    """Write it as ``.json``, or as ``.zip`` with a file for each kind; nobody else may read it."""
    if path.suffix not in (".json", ".zip"):
        raise BadSettings(f"{path}: name a file that ends in .json or .zip")
    data = _zipped(found) if path.suffix == ".zip" else _json(asdict(found))
    try:
        with suppress(FileNotFoundError):
            path.unlink()  # what is there may be open to others, or lead elsewhere
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as sink:
            sink.write(data)
    except OSError as error:
        raise BadSettings(f"{path} cannot be written: {error.strerror}") from error


def _zipped(found: Held) -> bytes:
    sink = BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in _files(found):
            packed.writestr(name, _json(content))
    return sink.getvalue()


def _files(found: Held) -> Iterator[tuple[str, Any]]:
    yield "about.json", {"source": found.source, "member": found.member, "at": found.at}
    yield from ((f"{name}.json", rows) for name, rows in found.tables.items())
    yield "items_as_received.json", found.items
    yield "items_refused.json", found.refused
    yield "person.json", found.person


def _json(value: Any) -> bytes:
    """JSON of plain ASCII, in which no text can be taken for markup or drive a terminal."""
    text = json.dumps(value, default=str, indent=1, ensure_ascii=True)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text.encode()
