"""An Excel file (.xlsx, .xlsm, .xlsb, .xls, .ods) → the rows of one sheet with numbers and faults.

A sheet cannot be streamed: its reader makes room for every cell between the first and the last, so
two cells in far corners, which take a kilobyte in the file, ask for half a terabyte. It is read by
a process of its own (:mod:`muster.lake.workbook`) with an end to its memory and its time.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster.errors import BadImport
from muster.lake.taken import listed

LARGEST = 512 * 1024 * 1024
MOST_MEMORY = 4 * 1024 * 1024 * 1024
_PARTS = frozenset(("[Content_Types].xml", "xl", "mimetype", "content.xml"))
_BROKEN = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError)


@dataclass(frozen=True)
class Sheet:
    """A sheet's name, the names of the others, and its rows."""

    sheet: str
    others: tuple[str, ...]
    rows: Iterator[tuple[int, list[Any], str]]


def read(path: Path, sheet: str = "") -> Sheet:
    """The named sheet, or the first that is not hidden; ``BadImport`` if there is none."""
    _accept_size(path)
    batches = _batches(path, sheet)
    name, others, problem = next(batches)
    if problem:
        raise BadImport(f"{path}{problem}")
    return Sheet(name, others, (row for batch in batches for row in batch))


def _batches(path: Path, sheet: str) -> Iterator[Any]:
    """What the reading process says, one thing after the other; it ends when nobody listens."""
    command = [sys.executable, "-m", "muster.lake.workbook", str(path), sheet, str(_memory())]
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, env=known, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as reader:
        assert reader.stdout is not None
        try:
            while (said := pickle.load(reader.stdout)) is not None:
                yield said
        except (EOFError, pickle.UnpicklingError) as error:
            raise BadImport(
                f"{path} takes more memory or time to read than there is, or is broken: save the "
                "sheet as CSV, which is read piece by piece"
            ) from error
        finally:
            reader.kill()


def _memory() -> int:
    """Half of the machine's, so that the other half goes on."""
    return min(MOST_MEMORY, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)


def _accept_book(path: Path, names: Sequence[str]) -> None:
    """Refuse an archive of other files: an Excel file is an archive of its parts."""
    if not _PARTS.intersection(name.split("/")[0] for name in names):
        found = [name for name in names if not name.endswith("/")]
        raise BadImport(
            f"{path} is a ZIP archive of {listed(found, 3)}: unpack it first (unzip {path.name})"
        )


def _accept_size(path: Path) -> None:
    """Refuse what would fill the memory once unpacked, a bomb or a million long rows."""
    try:
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                _accept_book(path, packed.namelist())
                size = sum(one.file_size for one in packed.infolist())
    except _BROKEN as error:
        raise BadImport(f"{path} is no readable Excel file ({error}): save it anew") from error
    if size > LARGEST:
        raise BadImport(
            f"{path} unpacks to {size >> 20:,} MB, more than {LARGEST >> 20}: save the sheet as "
            "CSV, which is read piece by piece"
        )
