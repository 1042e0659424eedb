"""Your own export → the lake, through the same merge as a fetch; what is refused is kept aside."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from muster.errors import BadImport
from muster.lake import importing, merge, raw, state
from muster.lake.gathered import gathered
from muster.lake.importing import Reading
from muster.lake.observed import sighted
from muster.lake.probing import check_writable
from muster.lake.taken import Extra, Refusal, Taken, key_of, listed, repeated, repeats
from muster.names import SOURCE_NAME
from muster.pipeline import people
from muster.pipeline.collect import added, earliest, first_of, run_name
from muster.pipeline.moods import mood
from muster.pipeline.whose import without_erased
from muster.project import Progress, Project
from muster.records import Item
from muster.sentiment import Mood

BATCH_RECORDS = 20_000
BATCH_CHARS = 64 * 1024 * 1024
SHOWN = 8
TOLD = 100


@dataclass(frozen=True)
class Imported:
    """What an import took: changed rows per source, columns passed over, records refused,
    how many rows were ``repeated``, with the key of another, and of how many keys an older row
    stood in another month (``moved``).

    ``refused`` says why of the first hundred; all of them, ``refusals``, lie in quarantine.
    """

    table: str
    rows: int = 0
    changed: Mapping[str, int] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    refusals: int = 0
    extra: tuple[str, ...] = ()
    unscored: int = 0
    trouble: str = ""
    repeated: int = 0
    moved: int = 0

    def sentence(self) -> str:
        """The outcome for a person."""
        largest = sorted(self.changed.items(), key=lambda pair: (-pair[1], pair[0]))
        parts = [f"{count:,} in {name}" for name, count in largest[:SHOWN]]
        if len(largest) > SHOWN:
            parts.append(f"{sum(n for _, n in largest[SHOWN:]):,} in {len(largest) - SHOWN} more")
        told = ", ".join(parts) or "none"
        lines = [f"{self.table}: {self.rows:,} rows read; new or changed: {told}"]
        if self.repeated:
            lines.append(repeated(self.table, self.repeated))
        if self.moved:
            lines.append(f"{self.moved:,} were of another month before; the later rows stay")
        if self.extra:
            lines.append(f"columns passed over: {listed(self.extra)}")
        if self.refused:
            lines.append(f"{self.refusals:,} refused and kept in quarantine, the first:")
            lines += [f"  {reason}" for reason in self.refused[:SHOWN]]
        if self.unscored:
            lines.append(f"{self.unscored:,} texts without a score ({self.trouble}): import again")
        return "\n".join(lines)


def import_file(
    project: Project,
    table: str,
    path: Path,
    source: str | None = None,
    form: str | None = None,
    reading: Reading | None = None,
) -> Imported:
    """Merge a file's rows; raises ``BadImport`` before anything is written if it cannot be taken.

    Rows go to the source they name themselves, else to ``source``.
    """
    accept_name(source)
    reading = reading or Reading(form or "")
    found = importing.contents(path, table, reading, project.settings.zone).records
    check_writable(project.lake)
    imported, run, keys = Imported(table), run_name(project.clock()), array("q")
    for number, batch in enumerate(_batches(found)):
        named = (one for one in batch if isinstance(one, Taken) and (one.source or source))
        keys.extend(key_of(one, source) for one in named)
        imported = _take(project, source, imported, run, number, batch)
        project.notify(Progress("import", table, imported.rows, "rows"))
    people.settle_after(project)
    return replace(imported, repeated=repeats(keys))


def accept_name(source: str | None) -> None:
    """``BadImport`` if no source can have this name."""
    if source is not None and not re.fullmatch(SOURCE_NAME, source):
        raise BadImport(f"--source {source!r}: write a name of a-z, 0-9, - and _")


def _batches(
    found: Iterable[Taken | Refusal | Extra],
) -> Iterator[list[Taken | Refusal | Extra]]:
    """Records put together, bounded by how many they are and by their letters."""
    batch: list[Taken | Refusal | Extra] = []
    room = BATCH_CHARS
    for one in found:
        batch.append(one)
        room -= _chars(one)
        if len(batch) >= BATCH_RECORDS or room <= 0:
            yield batch
            batch, room = [], BATCH_CHARS
    if batch:
        yield batch


def _chars(one: Taken | Refusal | Extra) -> int:
    """The letters of all texts of a record."""
    held: Iterable[Any] = ()
    if isinstance(one, Taken):
        held = (getattr(one.row, name) for name in one.row.__slots__)
    elif isinstance(one, Refusal):
        held = one.cells.values()
    return sum(len(cell) for cell in held if isinstance(cell, str))


def _take(
    project: Project,
    source: str | None,
    so_far: Imported,
    run: str,
    number: int,
    batch: list[Taken | Refusal | Extra],
) -> Imported:
    found = [one for one in batch if isinstance(one, Taken)]
    taken = [one for one in found if one.source or source]
    refused = [one for one in batch if isinstance(one, Refusal)]
    refused += [nameless(one) for one in found if not (one.source or source)]
    extra = tuple(record.column for record in batch if isinstance(record, Extra))
    changed: dict[str, int] = {}
    moods: list[Mood] = []
    for name, rows in _by_source(taken, source).items():
        moods.append(mood(project, name))
        changed[name] = _merge(project, name, rows, moods[-1])
    _set_aside(project, source, so_far.table, run, number, refused)
    return replace(
        so_far,
        rows=so_far.rows + len(taken),
        changed=added(so_far.changed, changed),
        refused=(so_far.refused + tuple(map(told, refused)))[:TOLD],
        refusals=so_far.refusals + len(refused),
        extra=so_far.extra + extra,
        unscored=so_far.unscored + sum(one.unscored for one in moods),
        trouble=next((one.trouble() for one in moods if one.trouble()), so_far.trouble),
    )


def told(refusal: Refusal) -> str:
    """A refusal as one line."""
    return f"line {refusal.line}: {refusal.reason}"


def nameless(record: Taken) -> Refusal:
    why = "names no source: add a source column, or say --source NAME"
    return Refusal(record.line, why, asdict(record.row))


def _by_source(taken: Iterable[Taken], source: str | None) -> dict[str, list[Taken]]:
    found: dict[str, list[Taken]] = {}
    for record in taken:
        found.setdefault(record.source or source or "", []).append(record)
    return found


def _merge(project: Project, name: str, taken: list[Taken], mood: Mood) -> int:
    """Merge one source's rows and remember from when on the table is covered."""
    memory = state.load(project.lake, name)
    # Of two files the one that was imported later counts, also if the clock was set back between.
    now = max(filter(None, (project.clock(), memory.last_run_at)))
    rows = [(row, now) for row in without_erased(project, name, (one.row for one in taken))]
    changed = merge.merge(project.lake, name, rows, derive=mood.read)
    memory = state.load(project.lake, name)
    covered = first_of(memory.covered, earliest(sighted(gathered((one.row, now) for one in taken))))
    state.save(project.lake, name, replace(memory, covered=covered, last_run_at=now))
    return sum(changed.values())


def _set_aside(
    project: Project,
    source: str | None,
    table: str,
    run: str,
    number: int,
    refused: Iterable[Refusal],
) -> None:
    now = project.clock()
    items = [
        (Item(f"import {table}", dict(one.cells), now, {"line": one.line}), one.reason)
        for one in refused
    ]
    raw.quarantine(project.lake, source or "import", run, number, items)
