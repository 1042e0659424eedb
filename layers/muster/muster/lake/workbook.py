"""An Excel file and an end to memory → pickled on stdout: its sheet and what is wrong, its rows.

A program of its own, run by :mod:`muster.lake.excel`. It says ``(sheet, others, problem)``, then
lists of rows with their numbers and faults, then ``None``: whatever ends without that has died of
the file.
"""

from __future__ import annotations

import pickle
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import time, timedelta
from itertools import islice
from typing import Any

BATCH = 1_000
SECONDS = 600  # of processor time
Row = tuple[int, list[Any], str]  # its number, its cells, and why it is unreadable, if it is


def main(path: str, sheet: str, memory: str) -> None:
    """Say what the file holds, within so many bytes of memory."""
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    name, others, problem, rows = _opened(path, sheet)
    _say((name, others, problem))
    while batch := list(islice(rows, BATCH)):
        _say(batch)
    _say(None)


def _say(what: Any) -> None:
    pickle.dump(what, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _opened(path: str, sheet: str) -> tuple[str, tuple[str, ...], str, Iterator[Any]]:
    """The sheet, the others that are shown, what is wrong, and the rows."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_path(path)
        shown = [
            one.name
            for one in book.sheets_metadata
            if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
        ]
        if (sheet or not shown) and sheet not in book.sheet_names:
            there = ", ".join(book.sheet_names)
            return "", (), f": no sheet {sheet!r}: there are {there}", iter(())
        name = sheet or shown[0]
        found = book.get_sheet_by_name(name)
        rows = _rows(found.iter_rows(), _merged(found.merged_cell_ranges or ()))
    except (CalamineError, OSError) as error:
        why = f" is no readable Excel file ({error}): save it anew, without a password"
        return "", (), why, iter(())
    return name, tuple(one for one in shown if one != name), "", rows


def _merged(ranges: Iterable[Any]) -> dict[int, str]:
    """The rows, by number, that lack what a cell over several rows says in the first of them."""
    return {
        number: f"a cell of rows {first[0] + 1} to {last[0] + 1} is merged: unmerge it, and fill "
        "each row"
        for first, last in ranges
        for number in range(first[0] + 2, last[0] + 2)
    }


def _rows(rows: Iterator[list[Any]], merged: Mapping[int, str]) -> Iterator[Row]:
    for number, cells in enumerate(rows, 1):
        yield number, [_cell(one) for one in cells], merged.get(number, "")


def _cell(value: Any) -> Any:
    """A cell as the readers of columns know it; an empty one as none."""
    if value == "" or isinstance(value, time | timedelta):
        return str(value) or None
    return value


if __name__ == "__main__":
    main(*sys.argv[1:])
