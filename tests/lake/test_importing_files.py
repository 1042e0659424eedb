"""Excel, JSON arrays, odd encodings, endless lines: every kind of file gives the same rows."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workbook import workbook

from muster.errors import BadImport
from muster.lake import excel, importing
from muster.lake.importing import Reading
from muster.lake.taken import Extra, Refusal, Taken

HEADER = ["message_id", "thread_id", "created_at", "text", "tags", "likes"]
ROW = ["m1", "t1", "2026-03-01T10:00:00Z", 'Grüße, "so"\nund ; | so', "a;b", 3]


def _read(path: Path, table: str = "messages", **options: str) -> list[Taken | Refusal | Extra]:
    return list(importing.contents(path, table, Reading(**options)).records)


def _book(path: Path, *sheets: list[list[object]]) -> Path:
    path.write_bytes(workbook({f"Sheet{n}": rows for n, rows in enumerate(sheets, 1)}))
    return path


def test_every_kind_of_file_gives_the_same_row(tmp_path: Path) -> None:
    cells = dict(zip(HEADER, ROW, strict=True))
    (tmp_path / "lines").write_text(json.dumps(cells))
    (tmp_path / "array").write_text(json.dumps([cells], indent=2))
    quoted = '"Grüße, ""so""\nund ; | so"'
    line = f"m1,t1,2026-03-01T10:00:00Z,{quoted},a;b,3\n"
    (tmp_path / "csv").write_text(",".join(HEADER) + "\n" + line)
    pq.write_table(pa.Table.from_pylist([cells]), tmp_path / "parquet")
    _book(tmp_path / "excel", [HEADER, ROW])
    found = {path.name: [one.row for one in _read(path)] for path in tmp_path.iterdir()}  # type: ignore[union-attr]
    assert len(found) == 5
    assert all(rows == found["csv"] and len(rows) == 1 for rows in found.values()), found


def test_a_sheet_s_rows_have_the_numbers_excel_shows(tmp_path: Path) -> None:
    rows = [[None], [None], HEADER, ROW, [], ["m2", "", "2026-03-01", None, None, None]]
    taken, refused = _read(_book(tmp_path / "a.xlsx", rows))
    assert (taken.line, refused.line) == (4, 6)
    assert refused.reason == "thread_id is missing"  # type: ignore[union-attr]


def test_days_and_whole_numbers_of_excel_are_what_they_look_like(tmp_path: Path) -> None:
    head = ["name", "date", "value", "unit"]
    path = _book(tmp_path / "a.xlsx", [head, [2026, ("day", 46082), 12, "people"]])
    (taken,) = _read(path, "figures")
    assert (taken.row.name, taken.row.date) == ("2026", date(2026, 3, 1))  # type: ignore[union-attr]


def test_an_id_whose_digits_excel_has_lost_is_refused(tmp_path: Path) -> None:
    (refused,) = _read(_book(tmp_path / "a.xlsx", [HEADER, [1234567890123456789, *ROW[1:]]]))
    assert "last digits are lost" in refused.reason  # type: ignore[union-attr]


def test_a_sheet_is_chosen_by_name_and_a_wrong_name_is_answered_with_all(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx", [["note"], ["x"]], [HEADER, ROW])
    assert [one.line for one in _read(path, sheet="Sheet2")] == [2]
    with pytest.raises(BadImport, match="no column 'message_id'"):
        _read(path)
    with pytest.raises(BadImport, match="no sheet 'Mai': there are Sheet1, Sheet2"):
        _read(path, sheet="Mai")


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel, "LARGEST", 2**20)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 2**22)
    with pytest.raises(BadImport, match="unpacks to 4 MB, more than 1: save the sheet as CSV"):
        _read(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0 broken"])
def test_a_broken_excel_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(BadImport, match=r"a.xlsx is no readable Excel file"):
        _read(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("<?xml version='1.0'?>\n<rows><row/></rows>", "is XML or HTML: save its rows as CSV"),
        ("\ufeff<!DOCTYPE html><HTML><body><table>", r"is a web page \(HTML\): save its rows"),
        (
            '{\n  "messages": [\n    {"message_id": "m1"}\n  ]\n}',
            "is one JSON object over many lin",
        ),
        ('{"messages": [\n{"message_id": "m1"}]}', "is one JSON object over many lines: write"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(tmp_path: Path, content: str, what: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(BadImport, match=what):
        _read(tmp_path / "a.csv")


def test_a_line_longer_than_what_is_looked_at_first_is_a_record(tmp_path: Path) -> None:
    """Wherever the look ends: behind a comma it seems to go on in the next line."""
    cells = dict(zip(HEADER, ROW, strict=True))
    line = json.dumps(cells | {f"x{n:05}": "x" for n in range(80_000)})
    cut = line.rindex(", ", 0, 1 << 20) + 1
    pad = " " * ((1 << 20) - cut)
    (tmp_path / "a.json").write_text("{" + pad + line[1:] + "\n" + json.dumps(cells))
    assert len([one for one in _read(tmp_path / "a.json") if isinstance(one, Taken)]) == 2


def test_an_archive_of_files_says_what_is_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as packed:
        packed.mkdir("export")
        packed.writestr("export/may.csv", ",".join(HEADER))
        packed.writestr("export/june.csv", ",".join(HEADER))
    told = (
        r"is a ZIP archive of export/may.csv, export/june.csv: unpack it first \(unzip export.zip"
    )
    with pytest.raises(BadImport, match=told):
        _read(tmp_path / "export.zip")


def test_a_json_array_may_have_any_layout_and_tells_its_lines(tmp_path: Path) -> None:
    cells = [dict(zip(HEADER, [f"m{n}", *ROW[1:]], strict=True)) for n in range(5)]
    broken = "[\n" + ",\n".join(map(json.dumps, [*cells, 7])) + ',\n{"message_id": '
    (tmp_path / "a.json").write_text(broken)
    found = _read(tmp_path / "a.json")
    assert [one.line for one in found] == [2, 3, 4, 5, 6, 7, 8]
    assert [type(one) for one in found[5:]] == [Refusal, Refusal]
    (tmp_path / "b.json").write_text(json.dumps(cells, indent=3))
    assert len([one for one in _read(tmp_path / "b.json") if isinstance(one, Taken)]) == 5


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_found_out(tmp_path: Path, encoding: str) -> None:
    text = ",".join(HEADER) + "\nm1,t,2026-03-01,Grüße,,\n"
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    (taken,) = _read(tmp_path / "a.csv")
    assert taken.row.text == "Grüße"  # type: ignore[union-attr]


def test_an_encoding_nobody_can_guess_is_named(tmp_path: Path) -> None:
    text = ",".join(HEADER) + "\nm1,t,2026-03-01,Привет,,\n"
    (tmp_path / "a.csv").write_bytes(text.encode("cp1251"))
    (taken,) = _read(tmp_path / "a.csv", encoding="cp1251")
    assert taken.row.text == "Привет"  # type: ignore[union-attr]
    # One that cannot be leaves a mark in its row, and the others pass.
    (marked,) = _read(tmp_path / "a.csv", encoding="utf-8")
    assert marked.row.text == "\ufffd" * 6  # type: ignore[union-attr]
    with pytest.raises(BadImport, match="no encoding 'cp0'"):
        _read(tmp_path / "a.csv", encoding="cp0")


def test_how_a_file_is_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(";".join(HEADER) + "\n")
    how = importing.contents(tmp_path / "a.csv", "messages", Reading()).how
    assert how == "CSV, separated by semicolons, UTF-8"


def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write(",".join(HEADER) + "\n")
            file.writelines(f"m{n},t,2026-03-01,{'x' * 200},,\n" for n in range(count))
        tracemalloc.start()
        assert sum(1 for _ in importing.contents(path, "messages", Reading()).records) == count
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    peak(10)
    assert peak(12_000) < 1.5 * peak(6_000)
