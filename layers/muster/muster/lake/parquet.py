"""Cells ⇄ Arrow ⇄ Parquet bytes: the same rows always give the same bytes."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from muster.errors import SourceFailed
from muster.lake.cells import Cells, rounded
from muster.lake.gathered import Gathered
from muster.records import SCHEMA_VERSION, Column, Table, columns

# Arrow's own pool keeps freed memory: merging full parts peaks a third higher with it.
pa.set_memory_pool(pa.system_memory_pool())
# glibc keeps more and more of what is freed, unless it is told from which size on it must not.
with suppress(AttributeError, OSError, TypeError):  # other C libraries know no such thing
    ctypes.CDLL(None).mallopt(-3, 1 << 20)  # M_MMAP_THRESHOLD

PLACE = "_place"  # of a row among all that was observed with it: never stored
SOME_ROWS = 8_192
ROW_GROUP = 3 * SOME_ROWS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FULL = b"muster.full"
_TYPES = {
    "string": pa.string(), "strings": pa.list_(pa.string()), "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"), "bool": pa.bool_(), "int": pa.int64(),
    "float": pa.float64(), "money": pa.decimal128(18, 4),
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One object of a table: its rows, and whether it is full (it then takes no new keys)."""

    rows: pa.Table
    is_full: bool


@dataclass(frozen=True)
class Opened:
    """The same before its rows are read: all at once, or some at a time."""

    table: Table
    file: pq.ParquetFile

    @property
    def is_full(self) -> bool:
        return _FULL in (self.file.metadata.metadata or {})

    def read(self, names: Iterable[str] | None = None) -> pa.Table:
        """All rows, of all columns or of some."""
        wanted = [one for one in schema(self.table.row) if names is None or one.name in names]
        present = [one.name for one in wanted if one.name in self.file.schema_arrow.names]
        return _in_schema(self.file.read(columns=present, use_threads=False), pa.schema(wanted))

    def some(self) -> Iterator[pa.Table]:
        """All rows in their order, some at a time."""
        for rows in self.file.iter_batches(SOME_ROWS, use_threads=False):
            yield _in_schema(pa.Table.from_batches([rows]), schema(self.table.row))


@cache
def schema(row: type) -> pa.Schema:
    """The Arrow schema of a row type, derived from its columns."""
    return pa.schema([_field(column) for column in columns(row)])


def _field(column: Column) -> pa.Field:
    return pa.field(column.name, _TYPES[column.type], nullable=column.nullable)


def arrow(table: Table, found: Sequence[Cells]) -> pa.Table:
    """Cells as an Arrow table."""
    return pa.Table.from_pylist(list(found), schema=schema(table.row))


def in_columns(rows: Gathered) -> pa.Table:
    """Rows that were observed, each with its place among all, as an Arrow table."""
    found = {**rounded(rows.kind, rows.columns), "observed_at": rows.observed_at}
    arrays = [pa.array(found[field.name], field.type) for field in schema(rows.kind)]
    made = pa.Table.from_arrays(arrays, schema=schema(rows.kind))
    return made.append_column(PLACE, pa.array(rows.places, pa.int64()))


def earliest(table: Table, rows: pa.Table) -> datetime | date | None:
    """When the first of the rows is of, by the time that names their month."""
    if table.month is None:
        return None
    (first,) = _values(pa.array([pc.min(rows.column(table.month))]))
    return first


def by_month(table: Table, rows: pa.Table) -> dict[str | None, pa.Table]:
    """Rows by the UTC month they lie in; ``None`` in a table without."""
    if table.month is None:
        return {None: rows} if len(rows) else {}
    # Without its zone, which Arrow would look up among the files of the machine, it is UTC.
    at = rows.column(table.month).cast(pa.timestamp("us"))
    numbers = pc.add(pc.multiply(pc.year(at), 12), pc.month(at))
    return {
        f"{(number - 1) // 12:04}-{(number - 1) % 12 + 1:02}": only(rows, pc.equal(numbers, number))
        for number in pc.unique(numbers).to_pylist()
    }


def only(rows: pa.Table, mask: Any) -> pa.Table:
    """The rows a mask names; no copy, if that is all."""
    return rows if pc.all(mask, min_count=0).as_py() else rows.filter(mask)


def replaced(rows: pa.Table, name: str, values: list[Any]) -> pa.Table:
    """The rows with other values in one column."""
    at, field = rows.schema.get_field_index(name), rows.schema.field(name)
    return rows.set_column(at, field, pa.array(values, field.type))


def cells(rows: pa.Table) -> list[Cells]:
    """An Arrow table as cells; Arrow's own way takes eight times as long for each time."""
    found = [_values(column) for column in rows.columns]
    return [dict(zip(rows.column_names, row, strict=True)) for row in zip(*found, strict=True)]


def _values(column: Any) -> list[Any]:
    if column.type != _TYPES["timestamp"]:
        return list(column.to_pylist())
    instants = column.cast(pa.int64()).to_pylist()
    return [None if at is None else _EPOCH + timedelta(0, 0, at) for at in instants]


def encode(table: Table, rows: pa.Table, *, limit: int, is_full: bool = False) -> bytes:
    """Sorted rows as Parquet; a part that reaches ``limit`` bytes in memory is full for good."""
    order = in_order(table, rows)
    some = (rows.take(order.slice(start, SOME_ROWS)) for start in range(0, len(order), SOME_ROWS))
    return written(table, some, limit=limit, is_full=is_full)


def written(table: Table, some: Iterator[pa.Table], *, limit: int, is_full: bool) -> bytes:
    """Sorted rows as Parquet, given ``SOME_ROWS`` at a time."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema(table.row), compression="zstd", compression_level=3) as out:

        def write() -> int:
            """The size of the next row group; it is let go of before another is made."""
            found = list(islice(some, ROW_GROUP // SOME_ROWS))
            if not found:
                return 0
            rows = pa.concat_tables(found)
            out.write_table(rows, ROW_GROUP)
            return int(rows.nbytes)

        size = sum(iter(write, 0))
        facts = {b"muster.table": table.name, b"muster.schema": str(SCHEMA_VERSION)}
        if is_full or size >= limit:
            facts[_FULL] = "1"
        out.add_key_value_metadata(facts)
    return sink.getvalue().to_pybytes()


def in_order(table: Table, rows: pa.Table) -> Any:
    """The places of rows, sorted by what a part is sorted by."""
    return pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in sorting(table)])


def sorting(table: Table) -> tuple[str, ...]:
    """The columns a part is sorted by: the table's order, and its key."""
    return (*table.order, *(name for name in table.key if name not in table.order))


def decode(table: Table, data: bytes, where: str, names: Iterable[str] | None = None) -> Part:
    """The rows of a part (of only some columns if named); ``SourceFailed`` if it is not ours."""
    part = opened(table, data, where)
    return Part(part.read(names), part.is_full)


def opened(table: Table, data: bytes, where: str) -> Opened:
    """A part whose rows are not read yet; ``SourceFailed`` if it is not ours."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
    except pa.ArrowException as error:
        raise SourceFailed(
            f"{where} is no readable Parquet ({error}): run muster lake repair, then replay"
        ) from error
    _accept(table, file.schema_arrow, where)
    return Opened(table, file)


def is_full(data: bytes) -> bool:
    """Whether a part is full, by its footer alone."""
    return _FULL in (pq.read_metadata(pa.BufferReader(data)).metadata or {})


def _in_schema(found: pa.Table, wanted: pa.Schema) -> pa.Table:
    """The rows with null in the columns that came after they were written."""
    arrays = [
        found.column(field.name)
        if field.name in found.column_names
        else pa.nulls(len(found), field.type)
        for field in wanted
    ]
    return pa.Table.from_arrays(arrays, schema=wanted)


def _accept(table: Table, found: pa.Schema, where: str) -> None:
    advice = "move it out of the lake (muster import takes foreign files)"
    for field in schema(table.row):
        if field.name not in found.names and not field.nullable:
            raise SourceFailed(f"{where} is no {table.name}: no column {field.name!r}; {advice}")
        if field.name in found.names and (it := found.field(field.name).type) != field.type:
            raise SourceFailed(
                f"{where} is no {table.name}: {field.name!r} is {it}, not {field.type}; {advice}"
            )
    if extra := [name for name in found.names if name not in schema(table.row).names]:
        raise SourceFailed(
            f"{where} has columns this version does not know ({', '.join(extra[:5])}): "
            "a newer Muster wrote it, so update this one; nothing is lost meanwhile"
        )
