"""An Excel file (.xlsx, .xlsm, .xlsb, .xls, .ods) → the rows of one sheet with their numbers.

A sheet cannot be streamed, so one that is too large is refused before it is unpacked.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from muster.errors import BadImport

LARGEST = 512 * 1024 * 1024


@dataclass(frozen=True)
class Sheet:
    """A sheet's name, the names of the others, and its rows."""

    sheet: str
    others: tuple[str, ...]
    rows: Iterator[tuple[int, list[Any]]]


def read(path: Path, sheet: str = "") -> Sheet:
    """The named sheet, or the first that is not hidden; ``BadImport`` if there is none."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    _accept_size(path)
    try:
        book = CalamineWorkbook.from_path(path)
        shown = [
            one.name
            for one in book.sheets_metadata
            if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
        ]
        if (sheet or not shown) and sheet not in book.sheet_names:
            raise BadImport(f"{path}: no sheet {sheet!r}: there are {', '.join(book.sheet_names)}")
        name = sheet or shown[0]
        rows = book.get_sheet_by_name(name).iter_rows()
    except (CalamineError, OSError) as error:
        raise BadImport(
            f"{path} is no readable Excel file ({error}): save it anew, without a password"
        ) from error
    return Sheet(name, tuple(one for one in shown if one != name), _rows(rows))


def _accept_size(path: Path) -> None:
    """Refuse what would fill the memory once unpacked, a bomb or a million long rows."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            size = sum(one.file_size for one in packed.infolist())
    if size > LARGEST:
        raise BadImport(
            f"{path} unpacks to {size >> 20:,} MB, more than {LARGEST >> 20}: save the sheet as "
            "CSV, which is read piece by piece"
        )


def _rows(rows: Iterator[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
    for number, cells in enumerate(rows, 1):
        yield number, [_cell(one) for one in cells]


def _cell(value: Any) -> Any:
    """A cell as the readers of columns know it; an empty one as none."""
    if value == "" or isinstance(value, time | timedelta):
        return str(value) or None
    return value
