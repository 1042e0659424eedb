"""Anybody's export becomes rows; what does not fit is refused with its line, the others pass."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from observations import message, seen

from muster.errors import BadImport
from muster.lake import importing, parquet
from muster.lake.cells import cells
from muster.lake.taken import Extra, Refusal, Taken
from muster.records import TABLES, Message, Order

HEADER = "message_id,thread_id,created_at,text,tags,likes\n"


def _read(path: Path, table: str = "messages", **options: object) -> list[Taken | Refusal | Extra]:
    return list(importing.read(path, table, **options))  # type: ignore[arg-type]


def _csv(tmp_path: Path, text: str | bytes) -> list[Taken | Refusal | Extra]:
    path = tmp_path / "file.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return _read(path)


def _rows(found: list[Taken | Refusal | Extra]) -> list[Message]:
    assert [one for one in found if not isinstance(one, Taken)] == []
    return [one.row for one in found if isinstance(one, Taken)]  # type: ignore[misc]


def test_a_csv_gives_rows_with_their_lines(tmp_path: Path) -> None:
    found = _csv(tmp_path, HEADER + "m1,t1,2026-03-01T10:00:00Z,hi,a;b,3\n\nm2,t1,2026-03-02,,,\n")
    assert found == [
        Taken(
            Message(
                message_id="m1", thread_id="t1", text="hi", tags=("a", "b"), likes=3,
                created_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
            ),
            None,
            2,
        ),
        Taken(
            Message(message_id="m2", thread_id="t1", created_at=datetime(2026, 3, 2, tzinfo=UTC)),
            None,
            4,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separators_are_found_out(tmp_path: Path, mark: str) -> None:
    text = HEADER.replace(",", mark) + mark.join(["m1", "t", "2026-03-01", "a, b", "x", "1"])
    if mark == ",":
        text = text.replace("a, b", '"a, b"')
    (row,) = _rows(_csv(tmp_path, text))
    assert (row.text, row.likes) == ("a, b", 1)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"]
)  # fmt: skip
def test_encodings_are_found_out(tmp_path: Path, encoding: str) -> None:
    text = HEADER + "m1,t,2026-03-01,Grüße – „Zitat“,,\n"
    (row,) = _rows(_csv(tmp_path, text.encode(encoding)))
    assert row.text == "Grüße – „Zitat“"


def test_what_is_no_text_of_windows_is_read_as_latin_1(tmp_path: Path) -> None:
    (row,) = _rows(_csv(tmp_path, HEADER.encode() + b"m1,t,2026-03-01,\xe4\x81,,\n"))
    assert row.text == "ä\x81"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_are_read(tmp_path: Path, newline: str) -> None:
    text = HEADER + "m1,t,2026-03-01,one,,\nm2,t,2026-03-01,two,,\n"
    found = _csv(tmp_path, text.replace("\n", newline))
    assert [row.text for row in _rows(found)] == ["one", "two"]
    assert [one.line for one in found] == [2, 3]


def test_cells_hold_line_breaks_quoted_and_bare_carriage_returns(tmp_path: Path) -> None:
    text = HEADER + 'm1,t,2026-03-01,"a\nb ""c""",,\nm2,t,2026-03-01,d\r\re,,\nm3,t,bad,,,\n'
    found = _csv(tmp_path, text)
    assert [one.row.text for one in found if isinstance(one, Taken)] == ['a\nb "c"', "d\r\re"]
    assert [one.line for one in found] == [2, 4, 5]


def test_bad_rows_are_refused_with_line_and_reason_and_the_others_pass(tmp_path: Path) -> None:
    rows = [
        "m1,t,2026-03-01,ok,,",
        "m2,t,yesterday,,,",
        "m3,,2026-03-01,,,",
        "m4,t,2026-03-01,,,many",
        "m5,t,2026-03-01,a,b",
        "m6,t,2026-03-01,a,b,1,extra",
        'm7,t,2026-03-01,,"[1]",',
        "m8,t,2026-03-01,ok,,7.0",
    ]
    found = _csv(tmp_path, HEADER + "\n".join(rows))
    assert [one.line for one in found if isinstance(one, Taken)] == [2, 9]
    reasons = {one.line: one.reason for one in found if isinstance(one, Refusal)}
    assert reasons[3] == "created_at is 'yesterday', but must be a time like 2026-03-01T09:00:00Z"
    assert reasons[4] == "thread_id is missing"
    assert reasons[5] == "likes is 'many', but must be a whole number"
    assert reasons[6].startswith("5 cells under 6 columns")
    assert reasons[7].startswith("7 cells under 6 columns")
    assert reasons[8] == "tags is '[1]', but must be a list of texts"
    (refusal,) = [one for one in found if one.line == 3]
    assert isinstance(refusal, Refusal)
    assert refusal.cells["message_id"] == "m2"


def test_a_missing_required_column_is_named_before_any_row(tmp_path: Path) -> None:
    with pytest.raises(BadImport, match=r"file.csv, line 1: no column 'thread_id': messages needs"):
        _csv(tmp_path, "message_id,created_at\nm1,2026-03-01\n")


def test_files_that_cannot_be_taken_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadImport, match=r"none.csv: No such file"):
        importing.read(tmp_path / "none.csv", "messages")
    with pytest.raises(BadImport, match="is empty"):
        _csv(tmp_path, "\n")
    with pytest.raises(BadImport, match="no table 'mesages': there are messages, members"):
        importing.read(tmp_path, "mesages")
    with pytest.raises(BadImport, match="column 'text' stands there twice"):
        _csv(tmp_path, "message_id,thread_id,created_at,text,text\n")
    with pytest.raises(BadImport, match=r"is compressed: unpack it first \(gunzip file.csv\)"):
        _csv(tmp_path, gzip.compress(HEADER.encode()))
    (tmp_path / "p").write_bytes(b"PAR1 cut short")
    with pytest.raises(BadImport, match="no readable Parquet"):
        importing.read(tmp_path / "p", "messages")
    with pytest.raises(BadImport, match="no format 'tweets': there are .*twcs"):
        importing.read(tmp_path / "p", "messages", form="tweets")
    with pytest.raises(BadImport, match="'twcs' gives messages, not orders"):
        importing.read(tmp_path / "p", "orders", form="twcs")


def test_extra_columns_are_reported_once(tmp_path: Path) -> None:
    text = "message_id,thread_id,created_at,mood\nm1,t,2026-03-01,x\nm2,t,2026-03-01,y\n"
    found = _csv(tmp_path, text)
    assert [one for one in found if isinstance(one, Extra)] == [Extra("mood", 2)]
    assert len(found) == 3


def test_a_source_column_is_honoured_and_checked(tmp_path: Path) -> None:
    text = "source,message_id,thread_id,created_at\n" + "".join(
        f"{source},m,t,2026-03-01\n" for source in ("forum", "", "../up", "A B")
    )
    found = _csv(tmp_path, text)
    assert [one.source for one in found if isinstance(one, Taken)] == ["forum", None]
    assert [one.line for one in found if isinstance(one, Refusal)] == [4, 5]


@pytest.mark.parametrize(
    ("cell", "tags"),
    [("a;b", ("a", "b")), ("a|b ; c", ("a", "b", "c")), ('"[""a;b"", ""c""]"', ("a;b", "c"))],
)
def test_lists_are_json_or_separated(tmp_path: Path, cell: str, tags: tuple[str, ...]) -> None:
    (row,) = _rows(_csv(tmp_path, HEADER + f"m1,t,2026-03-01,,{cell},\n"))
    assert row.tags == tags


def test_times_without_an_offset_are_local(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(HEADER + "m1,t,2026-07-01 10:00,,,\nm2,t,2026-07-01T10:00:00+09:00,,,\n")
    found = _rows(_read(path, zone=ZoneInfo("Europe/Berlin")))
    assert [row.created_at.hour for row in found] == [8, 1]


def test_a_day_where_a_time_belongs_begins_at_local_midnight(tmp_path: Path) -> None:
    days = {"message_id": ["m"], "thread_id": ["t"], "created_at": [date(2026, 7, 1)]}
    pq.write_table(pa.table(days), tmp_path / "file.parquet")
    (tmp_path / "file.csv").write_text("message_id,thread_id,created_at\nm,t,2026-07-01\n")
    for name in ("file.parquet", "file.csv"):
        (row,) = _rows(_read(tmp_path / name, zone=ZoneInfo("Europe/Berlin")))
        assert row.created_at == datetime(2026, 6, 30, 22, tzinfo=UTC)


def test_json_lines_give_rows_and_refuse_bad_lines(tmp_path: Path) -> None:
    good = {"message_id": 17, "thread_id": "t", "created_at": "2026-03-01", "tags": ["a"],
            "is_solution": True, "sentiment": 0.5, "text": None}  # fmt: skip
    path = tmp_path / "file.jsonl"
    lines = [json.dumps(good), "", "{cut", "[1]", json.dumps(good | {"author_role": "boss"})]
    path.write_text("\n".join(lines))
    found = _read(path)
    (row,) = [one.row for one in found if isinstance(one, Taken)]
    assert (row.message_id, row.tags, row.is_solution) == ("17", ("a",), True)  # type: ignore[union-attr]
    reasons = [(one.line, one.reason) for one in found if isinstance(one, Refusal)]
    assert [line for line, _ in reasons] == [3, 4, 5]
    assert reasons[2][1] == "author_role is 'boss', but must be member or staff or bot"


def test_orders_and_their_money_and_days(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,customer_id,created_at,revenue,currency,refunded_at\n"
        "o1,c1,2026-03-01T09:00:00Z,19.90,EUR,\no2,c1,2026-03-01,1e3x,EUR,\n"
    )
    taken, refusal = _read(path, "orders")
    assert isinstance(taken, Taken)
    assert isinstance(taken.row, Order)
    assert taken.row.revenue == Decimal("19.90")
    assert isinstance(refusal, Refusal)
    assert "revenue" in refusal.reason


@pytest.mark.parametrize(
    ("table", "cells", "reason"),
    [
        ("orders", {"currency": "eur"}, "currency is 'eur', but must be a code like EUR"),
        ("orders", {"currency": "EURO"}, "currency is 'EURO', but must be a code like EUR"),
        ("survey_responses", {"survey": "CSAT"}, "survey is 'CSAT', but must be written 'csat'"),
        ("audience", {"metric": "Followers "}, "metric is 'Followers ', but must be written "),
        ("site_traffic", {"channel": "Paid Social"}, "but must be written 'paid_social'"),
        ("site_traffic", {"segment": "ALL"}, "segment is 'ALL', but must be written 'all'"),
        ("survey_responses", {"survey": "ces"}, None),
        ("orders", {"channel": "Direct"}, None),
        ("site_traffic", {"segment": "country=US"}, None),
    ],
)
def test_a_word_that_kpis_would_miss_is_refused(
    tmp_path: Path, table: str, cells: dict[str, str], reason: str | None
) -> None:
    samples = {
        "string": "x", "timestamp": "2026-03-01", "date": "2026-03-01", "int": "3", "float": "1",
        "money": "1", "strings": "",
    }  # fmt: skip
    needed = [c for c in parquet.columns(TABLES[table].row) if not c.nullable][:-1]
    row = {c.name: samples[c.type] for c in needed}
    row |= {"currency": "EUR"} if table == "orders" else {}
    (tmp_path / "file.jsonl").write_text(json.dumps(row | cells))
    (found,) = _read(tmp_path / "file.jsonl", table)
    assert isinstance(found, Taken if reason is None else Refusal), found
    assert reason is None or reason in found.reason  # type: ignore[union-attr]


def test_parquet_with_nanoseconds_is_read(tmp_path: Path) -> None:
    instant = datetime(2026, 3, 1, 10, tzinfo=UTC)
    table = pa.table(
        {
            "message_id": pa.array([1, 2]),
            "thread_id": ["t", None],
            "created_at": pa.array([instant, instant], pa.timestamp("ns", "UTC")),
            "tags": [["a"], []],
        }
    )
    pq.write_table(table, tmp_path / "file.parquet")
    taken, refusal = _read(tmp_path / "file.parquet")
    assert isinstance(taken, Taken)
    assert (taken.row.message_id, taken.row.created_at) == ("1", instant)  # type: ignore[union-attr]
    assert isinstance(refusal, Refusal)
    assert refusal.line == 2


def test_what_the_lake_holds_can_be_imported_again(tmp_path: Path) -> None:
    table = TABLES["messages"]
    rows = [message(n, likes=n, tags=("a",), sentiment=0.25) for n in range(3)]
    data = parquet.encode(table, parquet.arrow(table, [cells(r, seen(0)) for r in rows]), limit=1)
    (tmp_path / "part").write_bytes(data)
    found = _read(tmp_path / "part")
    assert [one.row for one in found if isinstance(one, Taken)] == rows
    assert [one.column for one in found if isinstance(one, Extra)] == ["observed_at"]


def test_every_table_can_be_imported_from_its_own_words(tmp_path: Path) -> None:
    samples = {
        "string": "x", "strings": "a;b", "timestamp": "2026-03-01T00:00:00Z", "bool": "yes",
        "date": "2026-03-01", "int": "3", "float": "0.5", "money": "1.5",
    }  # fmt: skip
    choices = {"author_role": "staff", "kind": "post", "direction": "inbound", "role": "bot"}
    choices |= {"email_hash": "ab" * 32, "currency": "EUR"}
    for name, table in TABLES.items():
        names = {c.name: choices.get(c.name, samples[c.type]) for c in parquet.columns(table.row)}
        names.pop("observed_at")
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file).writerows([names, names.values()])
        (taken,) = _read(tmp_path / name, name)
        assert isinstance(taken, Taken), taken
        assert None not in asdict(taken.row).values()


def test_an_endless_quote_costs_its_rows_not_the_machine(tmp_path: Path) -> None:
    text = HEADER + 'm1,t,2026-03-01,ok,,\nm2,t,2026-03-01,"never closed,,\nm3,t,2026-03-01,x,,\n'
    found = _csv(tmp_path, text)
    assert isinstance(found[0], Taken)
    assert isinstance(found[1], Refusal)
    assert date(2026, 3, 1) == found[0].row.created_at.date()  # type: ignore[union-attr]
