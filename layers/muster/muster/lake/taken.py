"""What reading a file to import yields: rows taken, records refused, columns unknown."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.records import TABLE_OF, TABLES, Row

LONG = 60


@dataclass(frozen=True, slots=True)
class Taken:
    """A row, the source it names itself (``None``: the importer's choice), and its line."""

    row: Row
    source: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that cannot be taken: its line, why, and its cells for the quarantine."""

    line: int
    reason: str
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Extra:
    """A column the table does not have, told once, at the line where it first stood."""

    column: str
    line: int


def key_of(record: Taken, source: str | None) -> int:
    """A row's key and source as a number of eight bytes; two rows with one key have the same."""
    key = TABLES[TABLE_OF[type(record.row)]].key
    return hash((record.source or source, *(getattr(record.row, name) for name in key)))


def repeats(keys: array[int]) -> int:
    """How many rows have the key of another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return len(keys) - int(pc.count_distinct(pa.array(keys, pa.int64())).as_py())


def repeated(table: str, count: int) -> str:
    """The same for a person."""
    key = ", ".join(TABLES[table].key)
    return f"{count:,} with the key ({key}) of another row: of each the last stands"


def plain(cell: object) -> str:
    """A cell in a few plain letters: what a file says cannot drive the terminal."""
    text = "; ".join(cell) if isinstance(cell, tuple) else str(cell)
    short = text if len(text) <= LONG else f"{text[:LONG]}…"
    return "".join(letter if letter.isprintable() else " " for letter in short)


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names of columns as one line: a file may have a million."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(plain, names[:most])) + more
