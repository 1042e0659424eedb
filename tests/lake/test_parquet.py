"""Parquet bytes: types as promised, sorted, deterministic, readable across versions."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from observations import message, seen

from muster.errors import SourceFailed
from muster.lake import parquet
from muster.lake.cells import cells
from muster.records import TABLES, AdSpend, columns

MESSAGES = TABLES["messages"]
LIMIT = 1 << 26


def _rows(numbers: list[int]) -> pa.Table:
    return parquet.arrow(MESSAGES, [cells(message(n, tags=("a",)), seen(0)) for n in numbers])


def _file(data: bytes) -> pq.ParquetFile:
    return pq.ParquetFile(pa.BufferReader(data))


def test_every_table_is_written_and_read_back() -> None:
    for table in TABLES.values():
        data = parquet.encode(table, parquet.arrow(table, []), limit=LIMIT)
        part = parquet.decode(table, data, "here")
        assert part.rows.schema.names == [column.name for column in columns(table.row)]
        assert not part.is_full


def test_cells_come_back_as_arrow_would_give_them() -> None:
    rows = parquet.arrow(MESSAGES, [cells(message(n, tags=("a",)), seen(n)) for n in range(99)])
    pieces = pa.concat_tables([rows.slice(0, 50), rows.slice(60), rows.slice(0, 0)])
    assert parquet.cells(pieces) == pieces.to_pylist()
    assert parquet.cells(rows.slice(0, 0)) == []
    spend = AdSpend(campaign_id="c", date=date(1969, 12, 31), currency="EUR", spend=Decimal("1.5"))
    stored = parquet.arrow(TABLES["ad_spend"], [cells(spend, datetime(1950, 1, 1, tzinfo=UTC))])
    assert parquet.cells(stored) == stored.to_pylist()


def test_types_are_as_promised() -> None:
    types = {field.name: str(field.type) for field in parquet.schema(MESSAGES.row)}
    assert types["created_at"] == "timestamp[us, tz=UTC]"
    assert types["tags"] == "list<element: string>" or types["tags"] == "list<item: string>"
    assert str(parquet.schema(AdSpend).field("spend").type) == "decimal128(18, 4)"
    assert str(parquet.schema(AdSpend).field("date").type) == "date32[day]"
    column = (
        _file(parquet.encode(MESSAGES, _rows([1]), limit=LIMIT)).metadata.row_group(0).column(0)
    )
    assert column.compression == "ZSTD"
    assert column.statistics.has_min_max


def test_the_same_rows_in_any_order_and_pieces_give_the_same_bytes() -> None:
    numbers = list(range(3000))
    data = parquet.encode(MESSAGES, _rows(numbers), limit=LIMIT)
    random.Random(1).shuffle(numbers)
    pieces = pa.concat_tables([_rows(numbers[:7]), _rows(numbers[7:1000]), _rows(numbers[1000:])])
    assert parquet.encode(MESSAGES, pieces, limit=LIMIT) == data


def test_rows_are_sorted_by_thread_time_and_key_in_row_groups() -> None:
    numbers = list(range(25_000))
    stored = _file(parquet.encode(MESSAGES, _rows(numbers), limit=LIMIT))
    assert [stored.metadata.row_group(i).num_rows for i in range(2)] == [24_576, 424]
    found = stored.read(["thread_id", "created_at", "message_id"]).to_pylist()
    assert found == sorted(found, key=lambda row: tuple(row.values()))


def test_a_part_is_full_from_its_limit_on_and_stays_so() -> None:
    assert parquet.decode(MESSAGES, parquet.encode(MESSAGES, _rows([1]), limit=1), "x").is_full
    again = parquet.encode(MESSAGES, _rows([1]), limit=LIMIT, is_full=True)
    assert parquet.decode(MESSAGES, again, "x").is_full


def _plain(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def test_an_object_from_before_a_nullable_column_is_read() -> None:
    old = _rows([1, 2]).drop_columns(["sentiment", "lang"])
    part = parquet.decode(MESSAGES, _plain(old), "old")
    assert part.rows.column("sentiment").to_pylist() == [None, None]
    assert part.rows.schema == parquet.schema(MESSAGES.row)


def test_foreign_objects_are_refused_by_name() -> None:
    rows = _rows([1])
    with pytest.raises(SourceFailed, match="part-0 is no messages: no column 'thread_id'"):
        parquet.decode(MESSAGES, _plain(rows.drop_columns(["thread_id"])), "part-0")
    likes = rows.set_column(rows.schema.get_field_index("likes"), "likes", pa.array([Decimal("1")]))
    with pytest.raises(SourceFailed, match="'likes' is decimal.* not int64"):
        parquet.decode(MESSAGES, _plain(likes), "part-0")
    with pytest.raises(SourceFailed, match="no readable Parquet"):
        parquet.decode(MESSAGES, b"PAR1 cut", "part-0")


def test_an_object_of_a_newer_version_is_not_cut_down() -> None:
    newer = _rows([1]).append_column("mood", pa.array(["good"]))
    with pytest.raises(SourceFailed, match=r"does not know \(mood\).*update this one"):
        parquet.decode(MESSAGES, _plain(newer), "part-0")
