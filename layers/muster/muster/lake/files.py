"""A CSV, JSON Lines, Parquet or Excel file → its records with line numbers, as they stand.

All but Excel are streamed: a file of any size takes the memory of a few records.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster.errors import BadImport

_CHUNK = 1 << 20
_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile("sep=(.)")  # what Excel is told in a first line of its own
_LONGEST_CELL = 16 * 1024 * 1024
_LONGEST_LINE = 32 * 1024 * 1024
_PARQUET_ROWS = 10_000
_DEEPEST = 200  # levels of a record
_PORTION = 64 * 1024 * 1024
_CARRIAGE = "\x1e"
_EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_COMPRESSED = {b"\x1f\x8b": "gunzip", b"\xfd7zXZ": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}
_MARKS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Record:
    """One record: where it begins, its cells by column, and why it is unreadable, if it is."""

    line: int
    cells: dict[str, Any]
    fault: str = ""


@dataclass(frozen=True)
class Opened:
    """A file's records, its columns where they are known beforehand, and how it is read.

    ``tells_empty`` is whether an empty text is something else in it than none.
    """

    columns: tuple[str, ...] | None
    records: Iterator[Record]
    how: str
    tells_empty: bool = True


def open_file(path: Path, encoding: str = "", sheet: str = "") -> Opened:
    """Find out what the file is and read its header; ``BadImport`` if it is unreadable.

    ``encoding`` is only guessed if none is named, ``sheet`` is an Excel file's first if none is.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_CHUNK)
    except OSError as error:
        raise BadImport(f"{path}: {error.strerror}: name a file that can be read") from error
    if head[:4] == b"PAR1":
        return _parquet(path)
    if head[:4] in _EXCEL:
        return _excel(path, sheet)
    _accept_uncompressed(path, head)
    encoding = encoding or _encoding(path, head)
    try:
        text = head.decode(encoding, errors="ignore")
    except (LookupError, UnicodeError) as error:
        raise BadImport(f"no encoding {encoding!r}: write for example cp1251") from error
    if not text.strip():
        raise BadImport(f"{path} is empty: it needs a header and rows")
    newline = "\r" if "\r" in text and "\n" not in text else "\n"
    lines = _lines(path, encoding, newline)
    first = text.lstrip()[0]
    if first == "[":
        return Opened(None, _json_array(lines), f"a JSON array, {_named(encoding)}")
    _accept_table(path, text)
    if first == "{":
        return Opened(None, _json_records(lines), f"JSON Lines, {_named(encoding)}")
    return _csv(path, lines, encoding)


def _accept_uncompressed(path: Path, head: bytes) -> None:
    for start, unpack in _COMPRESSED.items():
        if head.startswith(start):
            raise BadImport(f"{path} is compressed: unpack it first ({unpack} {path.name})")


def _accept_table(path: Path, text: str) -> None:
    """Refuse XML, a web page, and one JSON object, each line of which would be broken."""
    line, *others = text.lstrip().split("\n", 1)
    if line.startswith("<"):
        what = "a web page (HTML)" if "<html" in text[:1000].lower() else "XML or HTML"
        raise BadImport(f"{path} is {what}: save its rows as CSV, JSON Lines, Parquet or Excel")
    if line.startswith("{") and others and _is_unfinished(line.rstrip()):
        raise BadImport(
            f"{path} is one JSON object over many lines: write its rows as an array "
            "([{…}, {…}]) or as JSON Lines, one object a line"
        )


def _is_unfinished(line: str) -> bool:
    """Whether JSON goes on after the line."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line)
    except RecursionError:
        return False
    return False


def _encoding(path: Path, head: bytes) -> str:
    """UTF-8 if every byte of the file agrees, else what Excel writes on Western computers."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if (found := _utf16_by_its_zeros(head[:4096])) is not None:
        return found
    for encoding in ("utf-8-sig", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _utf16_by_its_zeros(head: bytes) -> str | None:
    """UTF-16 without its mark: of a header in Latin letters every second byte is zero."""
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = head[start::2]
        if len(half) > 8 and half.count(0) > 0.4 * len(half):
            return encoding
    return None


def _named(encoding: str) -> str:
    return {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}.get(encoding, encoding.upper())


def _lines(path: Path, encoding: str, newline: str) -> Iterator[str]:
    # What a named encoding cannot read stays as a mark in its row; its neighbours are well.
    with path.open(encoding=encoding, newline=newline, errors="replace") as file:
        # A line that never ends comes in pieces, which are refused as rows.
        while line := file.readline(_LONGEST_LINE):
            yield line.rstrip("\r\n") + "\n" if line.endswith(("\n", "\r")) else line


def _csv(path: Path, lines: Iterator[str], encoding: str) -> Opened:
    # A lone carriage return inside an unquoted cell would end the row for the csv module.
    safe = (line.replace("\r", _CARRIAGE) for line in lines)
    csv.field_size_limit(_LONGEST_CELL)
    number, first = next((at, line) for at, line in enumerate(safe, 1) if line.strip())
    if told := _SEPARATOR.fullmatch(first.rstrip("\n")):
        number, first = number + 1, next(safe, "")
    delimiter, header = _header(path, first, told[1] if told else _DELIMITERS)
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise BadImport(f"{path}, line 1: column {twice[0]!r} stands there twice: rename one")
    # Strict: a quote that is never closed would swallow the rows after it.
    reader = csv.reader(safe, delimiter=delimiter, strict=True)
    mark = _MARKS.get(delimiter, delimiter)
    how = f"CSV, separated by {mark}, {_named(encoding)}"
    return Opened(tuple(header), _csv_records(header, reader, number), how, tells_empty=False)


def _header(path: Path, line: str, marks: str) -> tuple[str, list[str]]:
    """Which of the marks separates the columns, and their names."""
    try:
        found = {mark: next(csv.reader([line], delimiter=mark), []) for mark in marks}
    except csv.Error as error:
        raise BadImport(f"{path}, line 1 is no header of columns: {error}") from error
    delimiter = max(marks, key=lambda mark: len(found[mark]))
    return delimiter, [name.strip() for name in found[delimiter]]


def _csv_records(header: Sequence[str], reader: Any, header_at: int) -> Iterator[Record]:
    while True:
        line = header_at + reader.line_num + 1
        try:
            cells = [cell.replace(_CARRIAGE, "\r") for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, {}, str(error))
            continue
        if any(cells):  # A spreadsheet writes an empty row as separators.
            yield Record(line, dict(zip(header, cells, strict=False)), _width_fault(header, cells))


def _width_fault(header: Sequence[str], cells: Sequence[str]) -> str:
    if len(cells) == len(header):
        return ""
    return f"{len(cells)} cells under {len(header)} columns: is a quote or separator missing?"


def _json_records(lines: Iterator[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Record(number, {"line": line[:10_000]}, f"no JSON: {error}")
            continue
        yield _record(number, cells, line)


def _record(line: int, cells: Any, text: str) -> Record:
    """What a line or a piece of an array says, if it is an object that can be kept."""
    if not isinstance(cells, dict):
        return Record(line, {"line": text[:10_000]}, "no JSON object")
    # Most have no such many brackets: the walk is for those that do.
    if text.count("[") + text.count("{") > _DEEPEST and _is_deeper(cells, _DEEPEST):
        return Record(line, {"line": text[:10_000]}, f"nested more than {_DEEPEST} levels deep")
    return Record(line, cells)


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(inner) and (levels == 0 or any(_is_deeper(one, levels - 1) for one in inner))


def _json_array(lines: Iterator[str]) -> Iterator[Record]:
    """The objects of one array, however many lines it has: only one object is held at a time."""
    decoder, line = json.JSONDecoder(), 1
    text = next(lines).lstrip("\ufeff \t\r\n")[1:]
    while True:
        rest = text.lstrip(" \t\r\n,")
        line += text.count("\n", 0, len(text) - len(rest))
        try:
            cells, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            more = _more(lines, len(rest)) if len(rest) < _LONGEST_LINE else ""
            if not more or isinstance(error, RecursionError):
                if not rest.startswith("]"):
                    why = f"no JSON from here on: {error}"
                    yield Record(line, {"line": rest[:10_000]}, why)
                return
            text = rest + more
            continue
        yield _record(line, cells, rest[:end])
        line, text = line + rest.count("\n", 0, end), rest[end:]


def _more(lines: Iterator[str], size: int) -> str:
    """As many letters again, in whole lines: one line a try would take the square of the time."""
    found, count = [], 0
    while count <= size and (line := next(lines, "")):
        found.append(line)
        count += len(line)
    return "".join(found)


def _parquet(path: Path) -> Opened:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # What repeats is kept once: a cell of megabytes in each of a million rows is a small file.
        texts = _texts(pq.read_schema(path))
        file = pq.ParquetFile(path, read_dictionary=texts)
        names = tuple(file.schema_arrow.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadImport(f"{path} is no readable Parquet: {error}") from error
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadImport(f"{path}: column {twice[0]!r} stands there twice: rename one")
    return Opened(names, _parquet_records(file), "Parquet")


def _texts(schema: Any) -> list[str]:
    import pyarrow as pa

    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    return [one.name for one in schema if any(check(one.type) for check in is_text)]


def _excel(path: Path, sheet: str) -> Opened:
    """The first row with cells is the header; a record's line is the sheet's own row number."""
    from muster.lake import excel

    found = excel.read(path, sheet)
    rows = (row for row in found.rows if any(cell is not None for cell in row[1]))
    _, names, _ = next(rows, (0, (), ""))
    header = [str(name or "").strip() for name in names]
    if not any(header):
        raise BadImport(f"{path}: sheet {found.sheet!r} is empty: it needs a header and rows")
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise BadImport(f"{path}: column {twice[0]!r} stands there twice: rename one")
    others = f" (others: {', '.join(found.others)})" if found.others else ""
    records = (Record(line, dict(zip(header, cells, strict=False)), fault)
               for line, cells, fault in rows)  # fmt: skip
    how = f"Excel, sheet {found.sheet}{others}"
    return Opened(tuple(filter(None, header)), records, how, tells_empty=False)


def _parquet_records(file: Any) -> Iterator[Record]:
    import pyarrow as pa

    line = 0
    try:
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS):
            for start in range(0, len(batch), size := _at_once(batch)):
                for cells, fault in _rows_of(batch.slice(start, size)):
                    line += 1
                    yield Record(line, cells, fault)
    except (pa.ArrowException, OSError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        yield Record(line + 1, {}, f"the file is broken from here on: {why}")


def _at_once(batch: Any) -> int:
    """How many rows are unfolded at once, by the longest text that any of them may have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    repeated = (one.dictionary for one in batch.columns if pa.types.is_dictionary(one.type))
    longest = (pc.max(pc.binary_length(one)).as_py() or 0 for one in repeated if len(one))
    return max(1, _PORTION // max([*longest, 1]))


def _rows_of(batch: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """The rows of a batch, and why one that Python cannot hold is unreadable."""
    import pyarrow as pa

    unreadable = (pa.ArrowException, ValueError, OverflowError, TypeError, LookupError)
    try:
        yield from ((cells, "") for cells in _in_microseconds(batch).to_pylist())
    except unreadable as error:
        if len(batch) == 1:
            yield {}, f"a cell cannot be read: {' '.join(str(error).split())[:200]}"
            return
        for at in range(len(batch)):
            yield from _rows_of(batch.slice(at, 1))


def _in_microseconds(batch: Any) -> Any:
    """Times as Python can hold them: it knows no nanoseconds."""
    import pyarrow as pa

    fields = [
        pa.field(field.name, pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type)
        else field
        for field in batch.schema
    ]
    return pa.Table.from_batches([batch]).cast(pa.schema(fields), safe=False)
