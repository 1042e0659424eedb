"""One object of a table → everything about it that is not as the lake writes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from muster.lake import parquet
from muster.lake.cells import allowed
from muster.lake.findings import Finding
from muster.lake.places import Place
from muster.records import SCHEMA_VERSION, Table

# Twice what a part may hold in memory: one batch may take it over its limit, but not this far.
LARGEST = 3 * 48 * 1024 * 1024
_OURS = b"muster.table"


def faults(place: Place, data: bytes, now: datetime, largest: int = LARGEST) -> list[Finding]:
    """What is wrong with an object's file, schema, rows, order and statistics at ``now``."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        rows = file.read(use_threads=False)
        rows.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        return [Finding("unreadable", place.key, 1, str(error).split("\n")[0][:200])]
    if strange := _of_whom(place.table, file):
        return [Finding(strange[0], place.key, 1, strange[1])]
    return [
        Finding(kind, place.key, count, detail)
        for kind, count, detail in _all(place, file, rows, now, largest)
        if count
    ]


def _of_whom(table: Table, file: Any) -> tuple[str, str] | None:
    """Why an object is none of this version's, if it is not: a foreign or a newer one."""
    facts, schema = file.metadata.metadata or {}, file.schema_arrow
    version = facts.get(b"muster.schema", b"")
    if version.isdigit() and int(version) > SCHEMA_VERSION:
        return "newer", f"schema {version.decode()}"
    wanted = parquet.schema(table.row)
    for field in wanted:
        if field.name in schema.names and schema.field(field.name).type != field.type:
            return "foreign", f"{field.name} is {schema.field(field.name).type}, not {field.type}"
        if field.name not in schema.names and not field.nullable:
            return "foreign", f"no column {field.name}"
    extra = [name for name in schema.names if name not in wanted.names]
    if facts.get(_OURS, table.name.encode()) != table.name.encode():
        return "foreign", f"its rows are {facts[_OURS].decode(errors='replace')}"
    if extra:
        return "newer" if _OURS in facts else "foreign", f"columns {', '.join(extra)[:200]}"
    return None


def _all(
    place: Place, file: Any, rows: pa.Table, now: datetime, largest: int
) -> Iterator[tuple[str, int, str]]:
    table = place.table
    schema = parquet.schema(table.row)
    absent = [name for name in schema.names if name not in rows.column_names]
    if file.schema_arrow.names != schema.names or _OURS not in (file.metadata.metadata or {}):
        yield "old_schema", 1, f"without {', '.join(absent)}" if absent else ""
    broken = unwhole(table, rows)
    yield "broken", _count(broken), ""
    whole = rows.filter(pc.invert(broken))
    for name, choices in allowed(table.row).items():
        if name in whole.column_names:
            known = pc.is_in(whole.column(name), value_set=pa.array([*choices], pa.string()))
            yield "unknown_value", _count(pc.invert(known)), name
    yield "wrong_month", _count(misplaced(place, whole)), ""
    yield "future", _count(_to_come(table, whole, now)), ""
    yield "twice", doubles(table, whole), "in one object"
    if not _count(broken):
        yield "unsorted", _out_of_order(table, rows), ""
    yield "statistics", sum(_untrue_groups(table, file)), ""
    is_full = b"muster.full" in (file.metadata.metadata or {})
    yield "too_large", int(rows.nbytes > largest and not is_full), f"{rows.nbytes >> 20} MB"


def unwhole(table: Table, rows: pa.Table) -> Any:
    """A mask of the rows that lack a required value or have an empty key."""
    mask = pa.chunked_array([pa.repeat(False, len(rows))])
    for field in parquet.schema(table.row):
        if not field.nullable:
            mask = pc.or_(mask, pc.is_null(rows.column(field.name)))
    for name in table.key:
        if rows.column(name).type == pa.string():
            mask = pc.or_(mask, pc.equal(pc.fill_null(rows.column(name), ""), ""))
    return mask


def misplaced(place: Place, rows: pa.Table) -> Any:
    """A mask of the rows that belong into another month."""
    if place.table.month is None:
        return pa.chunked_array([pa.repeat(False, len(rows))])
    return pc.not_equal(months(place.table, rows), place.month)


def _to_come(table: Table, rows: pa.Table, now: datetime) -> Any:
    """A mask of the rows of more than a day after now: no time zone explains them."""
    if table.month is None:
        return pa.chunked_array([pa.repeat(False, len(rows))])
    times = rows.column(table.month).cast(pa.timestamp("us"))
    limit = (now + timedelta(days=1)).astimezone(UTC).replace(tzinfo=None)
    return pc.greater(times, pa.scalar(limit, pa.timestamp("us")))


def months(table: Table, rows: pa.Table) -> Any:
    """The UTC month each row belongs into."""
    times = rows.column(table.month).cast(pa.timestamp("us"))
    return pc.strftime(times, "%Y-%m")


def doubles(table: Table, rows: pa.Table) -> int:
    """How many keys stand in more than one row."""
    if not len(rows):
        return 0
    counted = rows.select(table.key).group_by(list(table.key)).aggregate([([], "count_all")])
    return _count(pc.greater(counted.column("count_all"), 1))


def _out_of_order(table: Table, rows: pa.Table) -> int:
    keys = [(name, "ascending") for name in (*table.order, *table.key)]
    order = pc.sort_indices(rows, sort_keys=list(dict(keys).items()))
    return _count(pc.not_equal(order, pa.array(range(len(rows)), order.type)))


def _untrue_groups(table: Table, file: Any) -> Iterator[bool]:
    """For each row group whether a column that readers skip by has no true minimum and maximum."""
    names = [*dict.fromkeys((*table.order, *table.key, *filter(None, [table.month])))]
    for number in range(file.metadata.num_row_groups):
        group, found = file.metadata.row_group(number), file.read_row_group(number, columns=names)
        columns = (group.column(at) for at in range(group.num_columns))
        told = {one.path_in_schema: one.statistics for one in columns}
        yield any(not _is_true(told.get(name), found.column(name)) for name in names)


def _is_true(told: Any, values: Any) -> bool:
    if values.null_count == len(values):
        return True
    real = pc.min_max(values).as_py()
    if told is None or not told.has_min_max:
        # The writer leaves out what is too long to be of use.
        return isinstance(real["max"], str) and max(map(len, real.values())) > 1000
    return bool(told.min <= real["min"] and told.max >= real["max"])


def _count(mask: Any) -> int:
    return int(pc.sum(mask).as_py() or 0)
