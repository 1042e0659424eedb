"""Importing as a user does: a preview that keeps its word, refusals kept aside, the way back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from muster.commands import app, data  # noqa: F401  (a verb is there once it is imported)
from muster.kpis import engine
from muster.lake import merge, parquet, raw, suppression
from muster.pipeline import importing, inbox, previewing
from muster.pipeline.importing import import_file
from muster.project import Project, open_project
from muster.records import TABLES, columns
from muster.store import FolderStore
from muster.terminal import say_records

sys.path.insert(0, str(Path(__file__).parent / "lake"))
from workbook import workbook

NOW = datetime(2026, 11, 25, tzinfo=UTC)
HEAD = "source,message_id,thread_id,author_id,created_at,text,mo\x1bod\n"
GOOD = "forum,m1,t,a1,2026-03-01,\x1b[2Jhello,x\nx,m2,t,a2,2026-05-01,,x\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return _project(tmp_path / "one")


def _project(folder: Path) -> Project:
    folder.mkdir()
    (folder / "muster.yaml").write_text("community: Desk\n")
    return open_project(folder, clock=lambda: NOW, environment={}, http=None)


def _file(folder: Path, text: str) -> Path:
    (folder / "file.csv").write_text(text)
    return folder / "file.csv"


def test_a_preview_says_what_the_import_then_takes_and_writes_nothing(
    project: Project, tmp_path: Path
) -> None:
    suppression.add(project.lake, "x", ["a2"])
    before = [entry.key for entry in project.lake.list()]
    path = _file(tmp_path, HEAD + GOOD + ",m3,t,,2026-03-01,,\nforum,m4,,,2026-03-01,,\n")
    found = previewing.preview(project, "messages", path)
    assert [entry.key for entry in project.lake.list()] == before
    assert (found.how, found.rows) == ("CSV, separated by commas, UTF-8", {"forum": 1})
    assert (found.first_month, found.last_month, found.erased) == ("2026-03", "2026-03", 1)
    imported = import_file(project, "messages", path)
    assert imported.changed == {"forum": 1, "x": 0}
    assert imported.refusals == found.refusals == 2
    assert sorted(imported.refused) == sorted(found.refused)


def test_rows_with_one_key_are_counted_however_far_apart_they_stand(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_RECORDS", 2)
    rows = [f"{source},m{n},t,,2026-03-0{n},,\n" for source in "xy" for n in (1, 2, 3)]
    path = _file(tmp_path, HEAD + "".join([*rows, rows[0], rows[0], ",m1,t,,2026-03-01,,\n"]))
    seen = previewing.preview(project, "messages", path)
    taken = import_file(project, "messages", path)
    assert (taken.rows, taken.changed) == (8, {"x": 3, "y": 3})
    for found in (seen, taken):
        assert "\n2 with the key (message_id) of another row: of each the last" in found.sentence()
    assert import_file(project, "messages", _file(tmp_path, HEAD + rows[0])).repeated == 0


def test_what_a_file_says_cannot_drive_the_terminal(project: Project, tmp_path: Path) -> None:
    path = str(_file(tmp_path, HEAD + GOOD))
    for words in (["--preview"], []):
        said = CliRunner().invoke(
            app, ["-C", str(project.folder), "import", "messages", path, *words]
        )
        assert said.exit_code == 0, said.output
        assert "\x1b" not in said.output
        assert "passed over: mo od" in said.output.replace("that would be ", "")


def test_a_million_refusals_are_counted_but_not_held(project: Project, tmp_path: Path) -> None:
    path = _file(tmp_path, HEAD + "forum,,t,,2026-03-01,,\n" * 300)
    imported = import_file(project, "messages", path, "forum")
    assert (imported.refusals, len(imported.refused)) == (300, 100)
    kept = list(raw.read_quarantine(project.lake, "forum"))
    assert [item.context for item, _ in kept] == [{"line": line} for line in range(2, 302)]


def test_an_excel_file_dropped_into_the_inbox_is_taken_as_the_command_line_takes_it(
    project: Project, tmp_path: Path
) -> None:
    head = ["message_id", "thread_id", "created_at", "text", "likes"]
    rows = [["m1", "t", "2026-03-01", "hi", 3], ["m2", "", "2026-03-01", None, None]]
    book = workbook({"Sheet1": [head, *rows]})
    (tmp_path / "a.xlsx").write_bytes(book)
    there = _project(tmp_path / "two")
    by_hand = import_file(there, "messages", tmp_path / "a.xlsx", "forum")
    project.lake.put("inbox/messages/forum/a.xlsx", book)
    assert inbox.receive(project, "inbox/messages/forum/a.xlsx")["outcome"] == "imported"
    receipt = json.loads(project.lake.get("receipts/messages/forum/a.xlsx.json").data)  # type: ignore[union-attr]
    assert receipt["refused"] == list(by_hand.refused) == ["line 3: thread_id is missing"]
    assert receipt["changed"] == by_hand.changed == {"forum": 1}
    key = "tables/messages/source=forum/month=2026-03/part-0.parquet"
    assert project.lake.get(key) == there.lake.get(key)
    assert project.lake.get("inbox/messages/forum/a.xlsx") is None


class _Overtaken(FolderStore):
    def download(self, key: str, path: Path) -> str | None:
        etag = super().download(key, path)
        self.put(key, b"message_id,thread_id,created_at\nm9,t,2026-03-01\n")
        return etag


def test_a_file_that_comes_while_the_one_before_is_taken_is_not_lost(project: Project) -> None:
    """Both are announced, under one name."""
    key = "inbox/messages/forum/a.csv"
    project.lake.put(key, b"message_id,thread_id,created_at\nm1,t,2026-03-01\n")
    overtaken = replace(project, lake=_Overtaken(project.lake.root))  # type: ignore[attr-defined]
    assert inbox.receive(overtaken, key)["outcome"] == "imported"
    assert inbox.receive(project, key)["outcome"] == "imported"
    assert inbox.receive(project, key)["outcome"] == "not there"
    found = engine.ask(project.lake.url(), "select message_id from messages order by 1")
    assert list(found.rows) == [("m1",), ("m9",)]


class _FullDisk(FolderStore):
    def download(self, key: str, path: Path) -> str | None:
        raise OSError(28, "No space left on device")


def test_a_file_too_large_for_a_function_gets_a_receipt_that_says_so(project: Project) -> None:
    lake = _FullDisk(project.lake.root)  # type: ignore[attr-defined]
    object.__setattr__(project, "lake", lake)
    key = "inbox/messages/forum/all.csv"
    assert inbox.receive(project, key) == {"outcome": "refused", "problems": 1}
    stored = lake.get("receipts/messages/forum/all.csv.json")
    assert stored and "run muster import on a computer" in json.loads(stored.data)["reason"]


SAMPLES = {
    "string": "=x;y | 'z'\n", "strings": ("a;b", "c|d", "[e"), "bool": True, "int": 3,
    "timestamp": datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC), "float": 0.1,
    "date": date(2026, 3, 1), "money": Decimal("12.3456"),
}  # fmt: skip
CHOICES = {"author_role": "staff", "kind": "reply", "direction": "ambient", "role": "bot"}
CHOICES |= {"email_hash": "ab" * 32, "currency": "EUR", "lang": "en"}


def _rows() -> Iterator[object]:
    """Of each table a row with every cell set and one with only those that must be."""
    for table in TABLES.values():
        given = {one.name: CHOICES.get(one.name, SAMPLES[one.type])
                 for one in columns(table.row)[:-1]}  # fmt: skip
        yield table.row(**given)
        must = {one.name for one in columns(table.row) if not one.nullable} & {*given}
        least = {name: given[name] for name in must} | {table.key[0]: "other"}
        yield table.row(**least | ({"date": date(2026, 4, 1)} if table.key[0] == "date" else {}))


@pytest.mark.parametrize("form", ["parquet", "json"])
def test_what_is_exported_and_imported_again_is_the_same_lake(form: str, tmp_path: Path) -> None:
    one, other = _project(tmp_path / "one"), _project(tmp_path / "other")
    merge.merge(one.lake, "s", [(row, NOW) for row in _rows()])  # type: ignore[misc]
    for name in TABLES:
        path = tmp_path / f"{name}.{form}"
        sql = f"select * exclude (observed_at) from {name}"
        if form == "parquet":
            path.write_bytes(engine.ask_parquet(one.lake.url(), sql))
        else:
            answer, said = engine.ask(one.lake.url(), sql), StringIO()
            with redirect_stdout(said):
                say_records(answer.columns, answer.rows)
            path.write_text(said.getvalue())
        assert import_file(other, name, path).refused == ()
    keys = [entry.key for entry in one.lake.list("tables/")]
    assert keys == [entry.key for entry in other.lake.list("tables/")]
    for key in keys:
        table = TABLES[key.split("/")[1]]
        made, taken = (parquet.decode(table, project.lake.get(key).data, key).rows.to_pylist()  # type: ignore[union-attr]
                       for project in (one, other))  # fmt: skip
        assert made == taken, key


def test_a_time_corrected_into_another_month_leaves_one_row(project: Project) -> None:
    def take(*days: str) -> str:
        rows = "".join(f"m{n},t,a,2026-{day},hello\n" for n, day in enumerate(days))
        path = _file(project.folder, "message_id,thread_id,author_id,created_at,text\n" + rows)
        words = ["-C", str(project.folder), "import", "messages", str(path), "--source", "post"]
        return CliRunner().invoke(app, words).output

    assert "another month" not in take("11-01", "11-02")
    assert "1 were of another month before" in take("10-31", "11-02")
    asked = "select message_id, created_at::date::text from messages order by all"
    found = engine.ask(str(project.folder / "lake"), asked).rows
    assert found == (("m0", "2026-10-31"), ("m1", "2026-11-02"))
    assert project.lake.get("kept/since"), "a measuring that goes on would count it twice"
