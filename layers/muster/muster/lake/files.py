"""A CSV, JSON Lines or Parquet file → its records with line numbers, streamed as they stand."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster.errors import BadImport

_CHUNK = 1 << 20
_DELIMITERS = ",;\t|"
_LONGEST_CELL = 16 * 1024 * 1024
_CARRIAGE = "\x1e"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: where it begins, its cells by column, and why it is unreadable, if it is."""

    line: int
    cells: dict[str, Any]
    fault: str = ""


@dataclass(frozen=True)
class Opened:
    """A file's records, and its columns where they are known beforehand."""

    columns: tuple[str, ...] | None
    records: Iterator[Record]


def open_file(path: Path) -> Opened:
    """Find out what the file is and read its header; ``BadImport`` if it is unreadable."""
    try:
        with path.open("rb") as file:
            head = file.read(_CHUNK)
    except OSError as error:
        raise BadImport(f"{path}: {error.strerror}: name a file that can be read") from error
    if head[:4] == b"PAR1":
        return _parquet(path)
    encoding = _encoding(path, head)
    text = head.decode(encoding, errors="ignore")
    if not text.strip():
        raise BadImport(f"{path} is empty: it needs a header and rows")
    newline = "\n" if "\n" in text else "\r"
    lines = _lines(path, encoding, newline)
    return Opened(None, _json_records(lines)) if text.lstrip()[0] == "{" else _csv(path, lines)


def _encoding(path: Path, head: bytes) -> str:
    """UTF-8 if every byte of the file agrees, else what Excel writes on Western computers."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
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


def _lines(path: Path, encoding: str, newline: str) -> Iterator[str]:
    with path.open(encoding=encoding, newline=newline) as file:
        for line in file:
            yield line.rstrip("\r\n") + "\n" if line.endswith(("\n", "\r")) else line


def _csv(path: Path, lines: Iterator[str]) -> Opened:
    # A lone carriage return inside an unquoted cell would end the row for the csv module.
    safe = (line.replace("\r", _CARRIAGE) for line in lines)
    header_line = next(line for line in safe if line.strip())
    delimiter = max(
        _DELIMITERS, key=lambda mark: len(next(csv.reader([header_line], delimiter=mark)))
    )
    header = [name.strip() for name in next(csv.reader([header_line], delimiter=delimiter))]
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise BadImport(f"{path}, line 1: column {twice[0]!r} stands there twice: rename one")
    csv.field_size_limit(_LONGEST_CELL)
    # Strict: a quote that is never closed would swallow the rows after it.
    reader = csv.reader(safe, delimiter=delimiter, strict=True)
    return Opened(tuple(header), _csv_records(header, reader))


def _csv_records(header: Sequence[str], reader: Any) -> Iterator[Record]:
    while True:
        line = reader.line_num + 2
        try:
            cells = [cell.replace(_CARRIAGE, "\r") for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, {}, str(error))
            continue
        if cells:
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
        except ValueError as error:
            yield Record(number, {"line": line[:10_000]}, f"no JSON: {error}")
            continue
        if isinstance(cells, dict):
            yield Record(number, cells)
        else:
            yield Record(number, {"line": line[:10_000]}, "no JSON object")


def _parquet(path: Path) -> Opened:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise BadImport(f"{path} is no readable Parquet: {error}") from error
    return Opened(tuple(file.schema_arrow.names), _parquet_records(file))


def _parquet_records(file: Any) -> Iterator[Record]:
    line = 0
    for batch in file.iter_batches(batch_size=10_000):
        for cells in _in_microseconds(batch).to_pylist():
            line += 1
            yield Record(line, cells)


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
