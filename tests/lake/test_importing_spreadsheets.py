"""Files as spreadsheets and databases leave them are read right, or refused with what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from workbook import workbook

from muster.errors import BadImport
from muster.lake import importing
from muster.lake.importing import Reading
from muster.lake.taken import Extra, Refusal, Taken
from muster.records import Message

HEADER = "message_id,thread_id,created_at,parent_id,author_id,text"


def _read(path: Path, *lines: str) -> list[Taken | Refusal | Extra]:
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(importing.contents(path, "messages", Reading()).records)


def _reason(path: Path, *lines: str) -> str:
    (refused,) = _read(path, *lines)
    assert isinstance(refused, Refusal)
    return refused.reason


def _row(one: Taken | Refusal | Extra) -> Message:
    assert isinstance(one, Taken) and isinstance(one.row, Message), one
    return one.row


def test_a_row_of_nothing_but_separators_is_an_empty_row(tmp_path: Path) -> None:
    found = _read(tmp_path / "a.csv", HEADER, ",,,,,", "1,1,2026-11-03,,,Hi", ",,,,,", ",,,,,,,")
    assert [one.line for one in found] == [3] and _row(found[0]).message_id == "1"


def test_the_line_that_tells_excel_the_separator_is_no_header(tmp_path: Path) -> None:
    head = "message_id;thread_id;created_at;text"
    (found,) = _read(tmp_path / "a.csv", "", "sep=;", head, "1;1;2026-11-03;a, b, c, d")
    assert (found.line, _row(found).text) == (4, "a, b, c, d")


def test_a_reply_finds_its_message_where_a_tool_made_numbers_of_ids(tmp_path: Path) -> None:
    """A column of ids with gaps is one of floats to pandas, and is written so."""
    found = _read(tmp_path / "a.csv", HEADER, "1,1,2026-11-03,, 7,a", "2,1,2026-11-03,1.0,7.0,b")
    first, second = map(_row, found)
    assert (second.parent_id, second.author_id) == (first.message_id, first.author_id) == ("1", "7")
    for of_slack in ("1793624400.000100", "1793624400.000000"):
        (other,) = _read(tmp_path / "b.csv", HEADER, f"{of_slack},1,2026-11-03,,,a")
        assert _row(other).message_id == of_slack


@pytest.mark.parametrize("spoiled", ["1.79577E+18", "1,79577E+18", "2E+15", "12345678901234567.0"])
def test_an_id_whose_digits_are_lost_is_refused(tmp_path: Path, spoiled: str) -> None:
    line = f'"{spoiled}",1,2026-11-03,,,a'
    assert "digits are lost" in _reason(tmp_path / "a.csv", HEADER, line)


@pytest.mark.parametrize("word", ["NULL", r"\N", "None", "nan", "#N/A"])
def test_a_word_for_none_is_nobody_s_id(tmp_path: Path, word: str) -> None:
    reason = _reason(tmp_path / "a.csv", HEADER, f"1,1,2026-11-03,,{word},NULL")
    assert reason.startswith("author_id is") and "leave the cell empty" in reason
    (found,) = _read(tmp_path / "a.csv", HEADER, f"1,1,2026-11-03,,,{word}")
    assert _row(found).text == word


@pytest.mark.parametrize("written", ["2026-11-03 09:00:00 UTC", "2026-11-03 10:00:00.0 +0100"])
def test_a_time_of_a_database_is_read(tmp_path: Path, written: str) -> None:
    (found,) = _read(tmp_path / "a.csv", HEADER, f"1,1,{written},,,a")
    assert _row(found).created_at == datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2026-11-03 09:00 CET", "2026-11-03 UTC", "3.11.2026"])
def test_a_time_that_can_be_read_in_several_ways_is_not(tmp_path: Path, written: str) -> None:
    assert "must be a time" in _reason(tmp_path / "a.csv", HEADER, f"1,1,{written},,,a")


def test_a_row_below_a_merged_cell_is_refused(tmp_path: Path) -> None:
    """What the cell says for it stands in the first of its rows only: it would say nothing."""
    path = tmp_path / "a.xlsx"
    rows = [["1", "1", "2026-11-03", None, "7", "a"], ["2", "1", "2026-11-03", None, None, "b"],
            ["3", "1", "2026-11-03", None, "8", "c"]]  # fmt: skip
    path.write_bytes(workbook({"S": [HEADER.split(","), *rows]}, merged="E2:E3"))
    first, second, third = importing.contents(path, "messages", Reading()).records
    assert (_row(first).author_id, _row(third).author_id) == ("7", "8")
    assert isinstance(second, Refusal) and (second.line, "unmerge" in second.reason) == (3, True)


def test_notes_above_the_header_are_told_to_go(tmp_path: Path) -> None:
    with pytest.raises(BadImport, match="has Our shop.*first line must name the columns"):
        _read(tmp_path / "a.csv", "Our shop", "", HEADER, "1,1,2026-11-03,,,a")
