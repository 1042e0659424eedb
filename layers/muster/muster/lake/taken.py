"""What reading a file to import yields: rows taken, records refused, columns unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muster.records import Row


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
