"""A file of anybody's → rows of a table, and what could not be taken, each with its line.

Columns are the table's fields. Lists are JSON arrays or separated by ``;`` or ``|``. A ``source``
column says per row which source it belongs to.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from muster.errors import BadImport, Refused
from muster.lake import formats
from muster.lake.cells import MEANT, accept
from muster.lake.files import Record, open_file
from muster.lake.taken import Extra, Refusal, Taken, listed
from muster.names import SOURCE_NAME
from muster.records import TABLES, Column, Row, Table, columns

_SOURCE = re.compile(SOURCE_NAME)
_INEXACT = 10**15
# A picture without a line has a text, an empty one; one that is absent was deleted or is unknown.
_WORDS = ("text", "title", "comment")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NO_ID = ("NULL", "null", r"\N", "None", "nan", "NaN", "#N/A", "N/A", "n/a")
_CUT = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
_WITH_POINT = re.compile(r"\d{1,300}[.]0")  # with six zeros it is a message of Slack
_MOST = 10**60  # an id may have more digits than a number
_UNREADABLE = (
    ValueError, TypeError, InvalidOperation, OverflowError, AttributeError, RecursionError,
)  # fmt: skip
_TRUTH = {"true": True, "yes": True, "y": True, "t": True, "1": True,
          "false": False, "no": False, "n": False, "f": False, "0": False}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What is known of a file beforehand; all else is found out.

    ``form`` names a format of :mod:`muster.lake.formats`, ``sheet`` one of an Excel file.
    """

    form: str = ""
    encoding: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class Contents:
    """What a file yields, record by record, and how it is read."""

    records: Iterator[Taken | Refusal | Extra]
    how: str


def read(
    path: Path, table: str, *, form: str = "", zone: tzinfo = UTC
) -> Iterator[Taken | Refusal | Extra]:
    """Rows, refusals and unknown columns, as the file yields them."""
    return contents(path, table, Reading(form), zone).records


def contents(path: Path, table: str, reading: Reading, zone: tzinfo = UTC) -> Contents:
    """What a file yields; times without an offset are local to ``zone``.

    ``BadImport`` if the file or its header cannot be taken at all, before any row.
    """
    if table not in TABLES:
        raise BadImport(f"no table {table!r}: there are {', '.join(TABLES)}")
    if reading.form:
        return Contents(_format(reading.form, table)(path), f"format {reading.form}")
    opened = open_file(path, reading.encoding, reading.sheet)
    if opened.columns is not None:
        _accept_header(path, TABLES[table], opened.columns)
    rows = _taken(TABLES[table], opened.records, zone, opened.tells_empty)
    return Contents(rows, opened.how)


def format_names() -> tuple[str, ...]:
    """Every named format there is, by walking :mod:`muster.lake.formats`."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(formats.__path__)))


def _format(form: str, table: str) -> Callable[[Path], Iterator[Taken | Refusal | Extra]]:
    if form not in format_names():
        raise BadImport(f"no format {form!r}: there are {', '.join(format_names())}")
    module = importlib.import_module(f"{formats.__name__}.{form}")
    given: str = module.TABLE
    if given != table:
        raise BadImport(f"format {form!r} gives {given}, not {table}")
    found: Callable[[Path], Iterator[Taken | Refusal | Extra]] = module.read
    return found


def _accept_header(path: Path, table: Table, header: tuple[str, ...]) -> None:
    needed = _required(table.row)
    if missing := [name for name in needed if name not in header]:
        is_note = len(missing) == len(needed)
        todo = ". Its first line must name the columns: delete what stands above" if is_note else ""
        raise BadImport(
            f"{path}, line 1: no column {missing[0]!r}: {table.name} needs {', '.join(needed)}; "
            f"the file has {listed(header)}{todo}"
        )


def _required(row: type) -> list[str]:
    return [field.name for field in fields(row) if field.default is MISSING]


def _taken(
    table: Table, records: Iterator[Record], zone: tzinfo, tells_empty: bool
) -> Iterator[Taken | Refusal | Extra]:
    told = {*(field.name for field in fields(table.row)), "source"}
    for record in records:
        for name in () if record.fault else [name for name in record.cells if name not in told]:
            told.add(name)
            yield Extra(name, record.line)
        try:
            if record.fault:
                raise Refused(record.fault)
            row = _row(table.row, record.cells, zone, tells_empty)
            accept(row)
            yield Taken(row, _source(record.cells), record.line)
        except Refused as refused:
            kept = {name: cell for name, cell in record.cells.items() if name != "email_hash"}
            yield Refusal(record.line, str(refused), kept)


def _source(cells: Mapping[str, Any]) -> str | None:
    name = cells.get("source")
    if name is None or name == "":
        return None
    if not isinstance(name, str) or not _SOURCE.fullmatch(name):
        raise Refused(f"source is {ascii(name)[:60]}, but must be of a-z, 0-9, - and _")
    return name


def _row(kind: type, cells: Mapping[str, Any], zone: tzinfo, tells_empty: bool) -> Row:
    values = {}
    defaults = {field.name: field.default for field in fields(kind)}
    for column in columns(kind)[:-1]:
        cell = cells.get(column.name)
        if isinstance(cell, str) and not tells_empty and column.name.endswith("_id"):
            cell = _id(column.name, cell)
        if cell is not None and (cell != "" or (tells_empty and column.name in _WORDS)):
            values[column.name] = _value(column, cell, zone)
        elif defaults[column.name] is MISSING:
            raise Refused(f"{column.name} is missing")
    for column in columns(kind)[:-1]:
        if column.name in values:
            _accept_word(column, values[column.name])
    row: Row = kind(**values)
    return row


def _id(name: str, cell: str) -> str | float:
    """An id as CSV tells it without blanks around it, and as a number where it tells 3 as 3.0.

    Raises ``Refused`` for a word that stands for none, which would be one person, and for an id
    that a spreadsheet has rounded, which is that of many.
    """
    cell = cell.strip()
    if cell in _NO_ID:
        raise Refused(f"{name} is {cell!r}: leave the cell empty where there is none")
    if _CUT.fullmatch(cell):
        raise Refused(
            f"{name} is {cell!r}, as a spreadsheet writes a long number: its digits are lost, "
            "export it as text"
        )
    return float(cell) if _WITH_POINT.fullmatch(cell) else cell


def _accept_word(column: Column, value: Any) -> None:
    """Refuse a currency that is no code, and a known word in capitals or with blanks.

    A KPI would miss "CSAT" or "Organic Social" without a word; what is no such word is taken.
    """
    if column.name == "currency" and not _CURRENCY.fullmatch(value):
        raise Refused(f"currency is {ascii(value)[:60]}, but must be a code like EUR")
    if column.words and value not in column.words:
        meant = re.sub(r"[\s_-]+", "_", value.strip().lower())
        if meant in column.words:
            raise Refused(f"{column.name} is {ascii(value)[:60]}, but must be written {meant!r}")


def _value(column: Column, cell: Any, zone: tzinfo) -> Any:
    if column.type == "string" and isinstance(cell, float) and abs(cell) >= _INEXACT:
        raise Refused(
            f"{column.name} is a number whose last digits are lost (a spreadsheet keeps 15): "
            "store it as text"
        )
    try:
        return _READERS[column.type](cell, zone)
    except _UNREADABLE as error:
        shown = ascii(cell)[:60]
        raise Refused(f"{column.name} is {shown}, but must be {MEANT[column.type]}") from error


def _string(cell: Any, _: tzinfo) -> str:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise TypeError
    return cell if isinstance(cell, str) else str(_whole(cell))


def _strings(cell: Any, _: tzinfo) -> tuple[str, ...]:
    if isinstance(cell, str):
        text = cell.strip()
        parts = json.loads(text) if text.startswith("[") else re.split("[;|]", text)
    else:
        parts = cell
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise TypeError
    return tuple(part.strip() for part in parts if part.strip())


def _timestamp(cell: Any, zone: tzinfo) -> datetime:
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime.combine(cell, time())
    found = cell if isinstance(cell, datetime) else datetime.fromisoformat(_iso(cell))
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _iso(text: str) -> str:
    """A time whose offset stands apart from it, as databases write it, as ISO 8601 does."""
    return re.sub(r"(?<=\d) (?=UTC$|[+-]\d\d:?\d\d$)", "", text.strip()).replace("UTC", "Z")


def _date(cell: Any, _: tzinfo) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    return cell if isinstance(cell, date) else date.fromisoformat(cell.strip())


def _bool(cell: Any, _: tzinfo) -> bool:
    try:
        return _TRUTH[str(cell).strip().lower()]
    except KeyError as error:
        raise ValueError from error


def _int(cell: Any, _: tzinfo) -> int:
    return _whole(cell if isinstance(cell, int | float) else Decimal(cell.strip()))


def _whole(number: int | float | Decimal) -> int:
    # Before it is written out: that of 1e999999999 has a billion digits.
    if isinstance(number, bool) or not -_MOST < number < _MOST or number != int(number):
        raise ValueError
    return int(number)


def _float(cell: Any, _: tzinfo) -> float:
    return float(cell)


def _money(cell: Any, _: tzinfo) -> Decimal:
    return Decimal(str(cell).strip())


_READERS: dict[str, Callable[[Any, tzinfo], Any]] = {
    "string": _string, "strings": _strings, "timestamp": _timestamp, "date": _date,
    "bool": _bool, "int": _int, "float": _float, "money": _money,
}  # fmt: skip
