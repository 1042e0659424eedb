"""What reading a file to import yields: rows taken, records refused, columns unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.records import Row

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


def plain(cell: object) -> str:
    """A cell in a few plain letters: what a file says cannot drive the terminal."""
    text = "; ".join(cell) if isinstance(cell, tuple) else str(cell)
    short = text if len(text) <= LONG else f"{text[:LONG]}…"
    return "".join(letter if letter.isprintable() else " " for letter in short)


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names of columns as one line: a file may have a million."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(plain, names[:most])) + more
