"""A file to import → what of it would be taken and what refused; nothing is written."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from muster.lake import importing, suppression
from muster.lake.cells import month
from muster.lake.importing import Reading
from muster.lake.suppression import Suppressed
from muster.lake.taken import Extra, Refusal, Taken, key_of, plain, repeated, repeats
from muster.pipeline.importing import SHOWN, TOLD, accept_name, nameless, told
from muster.pipeline.whose import person_of
from muster.project import Progress, Project
from muster.records import TABLES

ROWS_SHOWN = 3
_EVERY = 10_000


@dataclass(frozen=True)
class Preview:
    """How a file is read, its rows per source, the months they are of, the first of them."""

    table: str
    how: str
    rows: Mapping[str, int]
    first_month: str = ""
    last_month: str = ""
    refused: tuple[str, ...] = ()
    refusals: int = 0
    erased: int = 0
    extra: tuple[str, ...] = ()
    first: tuple[Mapping[str, Any], ...] = ()
    repeated: int = 0

    def sentence(self) -> str:
        """The preview for a person."""
        count = sum(self.rows.values())
        span = f", {self.first_month} to {self.last_month}" if self.first_month else ""
        largest = sorted(self.rows.items(), key=lambda pair: (-pair[1], pair[0]))
        into = ", ".join(f"{rows:,} into {name}" for name, rows in largest[:SHOWN]) or "none"
        more = f" and {len(largest) - SHOWN:,} sources more" if len(largest) > SHOWN else ""
        lines = [self.how, f"{self.table}: {count:,} rows would be taken: {into}{more}{span}"]
        lines += [f"  {_shown(row)}" for row in self.first]
        if self.repeated:
            lines.append(repeated(self.table, self.repeated))
        if self.extra:
            lines.append(f"columns that would be passed over: {', '.join(map(plain, self.extra))}")
        if self.erased:
            lines.append(f"{self.erased:,} of erased members would be left out")
        if self.refusals:
            lines.append(f"{self.refusals:,} would be refused, the first:")
            lines += [f"  {reason}" for reason in self.refused[:SHOWN]]
        return "\n".join([*lines, "Nothing was written."])


@dataclass
class _Seen:
    """What has been counted so far; only the first of anything is kept."""

    rows: dict[str, int] = field(default_factory=dict)
    months: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    refusals: int = 0
    erased: int = 0
    suppressed: dict[str, Suppressed] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    first: list[Mapping[str, Any]] = field(default_factory=list)
    keys: array[int] = field(default_factory=lambda: array("q"))


def preview(
    project: Project,
    table: str,
    path: Path,
    source: str | None = None,
    reading: Reading | None = None,
) -> Preview:
    """Read the whole file as an import would; ``BadImport`` if it cannot be taken at all."""
    accept_name(source)
    found = importing.contents(path, table, reading or Reading(), project.settings.zone)
    seen = _Seen()
    for number, record in enumerate(found.records, 1):
        _count(project, seen, table, source, record)
        if number % _EVERY == 0:
            project.notify(Progress("preview", table, number, "records"))
    return Preview(
        table, found.how, seen.rows, min(seen.months, default=""), max(seen.months, default=""),
        tuple(seen.refused), seen.refusals, seen.erased, tuple(seen.extra), tuple(seen.first),
        repeats(seen.keys),
    )  # fmt: skip


def _count(
    project: Project, seen: _Seen, table: str, source: str | None, record: Taken | Refusal | Extra
) -> None:
    if isinstance(record, Extra):
        seen.extra.append(record.column)
        return
    if isinstance(record, Taken) and not (record.source or source):
        record = nameless(record)
    if isinstance(record, Refusal):
        seen.refusals += 1
        seen.refused += [told(record)] if len(seen.refused) < TOLD else []
        return
    name = record.source or source or ""
    if name not in seen.suppressed:
        seen.suppressed[name] = suppression.load(project.lake, name)
    if seen.suppressed[name].pseudonym(person_of(record.row)):
        seen.erased += 1
        return
    seen.keys.append(key_of(record, source))
    seen.rows[name] = seen.rows.get(name, 0) + 1
    if of := month(TABLES[table], record.row):
        seen.months.add(of)
    if len(seen.first) < ROWS_SHOWN:
        seen.first.append({"line": record.line, **dict(_set(asdict(record.row)))})


def _set(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The cells that say something."""
    yield from ((name, cell) for name, cell in row.items() if cell not in (None, "", (), 0, False))


def _shown(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {plain(cell)}" for name, cell in row.items())
