"""Names and keys that would leave their folder: refused, or made into a name inside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from thorough import tries
from typer.testing import CliRunner

from muster import settings_file, terminal
from muster.commands import app
from muster.errors import BadImport, BadKpi, BadSettings, StoreRefused
from muster.kpis import catalogue
from muster.pipeline import erase, importing, inbox, measure, publish
from muster.project import Project, open_project, options_of
from muster.reports import addresses, inert
from muster.store import FolderStore

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
OUTWARD = (
    "../x", "../../etc/passwd", "..", ".", "", "/etc/passwd", "a/b", "a\\b", "a/../../b", "C:\\x",
    "~/x", "a\x00b", "a\nb", ".hidden", "x" * 300, "\u202ea", "a b", "a%2f..%2fb", "$(id)",
    "`id`", "a;b",
    "A", "*", "?", "con:", "source=x", "é", "\ud800",
)  # fmt: skip
ROW = '{"message_id": "1", "thread_id": "1", "created_at": "2026-11-01T09:00:00Z"}\n'


def read(**more: Any) -> Any:
    text = json.dumps({"community": "a", **more})
    return settings_file.parse(text, "muster.yaml", options_of)


@pytest.mark.parametrize("name", OUTWARD)
def test_sources_and_reports_have_plain_names_only(name: str) -> None:
    with pytest.raises(BadSettings):
        read(sources=[{"name": name, "platform": "file"}])
    with pytest.raises(BadSettings):
        read(reports=[{"name": name}])
    with pytest.raises(BadSettings):
        read(sources=[{"name": "a", "platform": name}])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "muster.yaml").write_text("community: a\nsources: [{name: old, platform: file}]\n")
    return open_project(folder, clock=lambda: NOW, environment={}, http=None)


def outside(project: Project) -> list[str]:
    """What lies beside the project's folder."""
    return [path.name for path in project.folder.parent.iterdir() if path != project.folder]


@pytest.mark.parametrize("name", OUTWARD[:: tries(3, 1)])
def test_no_import_and_no_row_names_a_source_that_is_a_path(project: Project, name: str) -> None:
    file = project.folder / "a.jsonl"
    file.write_text(ROW)
    with pytest.raises(BadImport, match="write a name of a-z"):
        importing.import_file(project, "messages", file, name)
    file.write_text(json.dumps(json.loads(ROW) | {"source": name}) + "\n" + ROW)
    taken = importing.import_file(project, "messages", file, "old")
    assert taken.refusals == (1 if name else 0) and taken.rows == 2 - taken.refusals
    assert not outside(project)


@pytest.mark.parametrize("key", [f"inbox/{one}" for one in (
    "messages/../../../etc/passwd", "../muster.yaml", "messages/old/../../x.csv", "messages//x.csv",
    "messages/old/a\x00.csv", "messages/old/.muster/x", "messages/old/a/b/c.csv", "x.csv",
    "messages/" + "a" * 80 + "/x.csv", "nothing/old/x.csv", "messages/OLD/x.csv",
    "messages/old/x." + "y" * 300)])  # fmt: skip
def test_a_file_in_the_inbox_leads_nowhere_else(project: Project, key: str) -> None:
    inside = project.folder / "lake" / key
    if ".." not in key and "\x00" not in key and len(inside.name) < 250:
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_text(ROW)
    try:
        told = inbox.receive(project, key)
        assert told["outcome"] in ("refused", "not there")
    except StoreRefused as error:
        assert "write plain/names/with/slashes" in str(error)
    assert not outside(project)
    assert not list(project.lake.list("tables/"))


@pytest.mark.parametrize("key", ["../x", "a/../b", "/etc/passwd", "a//b", "a/./b", "a\x00", "a\nb",
                                 ".muster/x", "a\\..\\b", ""])  # fmt: skip
def test_no_key_of_the_store_is_a_path_out_of_it(tmp_path: Path, key: str) -> None:
    store = FolderStore(tmp_path / "lake")
    for call in (store.get, store.delete, lambda one: store.put(one, b"")):
        with pytest.raises(StoreRefused, match="is refused"):
            call(key)


@pytest.mark.parametrize("name", ["../x", "Upper", "a-b", "a b", "é", "x" * 80, "a.b", "_a", "1a"])
def test_a_kpi_s_file_is_named_by_a_plain_id(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").mkdir()
    path = tmp_path / "x" / f"{name}.sql"
    path.write_text("-- title: a\n")
    with pytest.raises(BadKpi):
        catalogue.read(path)


@pytest.mark.parametrize("told", ["env:A/../B", "env:../x", "env:", "plain-secret-0123",
                                  "file:/etc/x", "ssm:relative", "secretsmanager:a b"])  # fmt: skip
def test_a_secret_s_reference_is_no_path_and_no_secret(told: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read(sources=[{"name": "a", "platform": "discourse", "token": told}])
    assert "plain-secret" not in str(caught.value)


def test_every_member_goes_by_their_id_wherever_it_points(project: Project) -> None:
    file = project.folder / "a.jsonl"
    rows = [json.loads(ROW) | {"author_id": name, "message_id": str(number)}
            for number, name in enumerate(OUTWARD) if name and name != "\ud800"]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    importing.import_file(project, "messages", file, "old")
    for row in rows[:: tries(5, 1)]:
        assert erase.erase(project, "old", row["author_id"]).rows == {"messages": 1}
    assert not outside(project)


def test_names_of_goals_and_segments_become_files_of_the_site_each_its_own(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    goals = [{"name": f"{name} {number}", "objective": name, "kpi": "response_rate",
              "target": {"at_least": "90%"}, "by": "2027-12-31"}
             for number, name in enumerate(OUTWARD[:-1])]  # fmt: skip
    told = {"community": "a", "sources": [{"name": "old", "platform": "file"}], "goals": goals,
            "solution_channels": [*OUTWARD[:-1]]}  # fmt: skip
    (folder / "muster.yaml").write_text(json.dumps(told))
    project = open_project(folder, clock=lambda: NOW, environment={}, http=None)
    rows = [json.loads(ROW) | {"message_id": str(number), "channel": name}
            for number, name in enumerate(OUTWARD[:-1])]  # fmt: skip
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    importing.import_file(project, "messages", folder / "a.jsonl", "old")
    measure.measure(project)
    publish.report(project, send=False)
    assert not outside(project)
    inside = {path.name for path in folder.iterdir()}
    assert inside == {"muster.yaml", "a.jsonl", "lake", "site", "outbox"}


@pytest.mark.parametrize("names", [("Hilfe", "hilfe"), ("помощь", "вопросы"), ("a/b", "a-b"),
                                   ("a b", "a-b"), ("../x", "x"), ("ä", "ö")])  # fmt: skip
def test_two_segments_never_share_a_file(names: tuple[str, str]) -> None:
    files = {addresses.kpi_csv("response_rate", f"channel={name}") for name in names}
    assert len(files) == 2
    assert all("/" not in one.removeprefix("data/") and ".." not in one for one in files)
    assert inert.distinct("response_rate-channel=help") == "response_rate-channel-help"


DRIVES = ("\x1b[2J", "a\nBAD  source x: all is lost", "\u202egpj.exe", "\x9b31m", "\r\x1b]0;x\x07")


@pytest.mark.parametrize("text", DRIVES[:: tries(3, 1)])
def test_what_a_file_says_drives_no_terminal_and_forges_no_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "muster.yaml").write_text("community: a\nsources: [{name: old, platform: file}]\n")
    lines = [json.dumps({"message_id": text, text: text}), json.dumps(json.loads(ROW) | {text: 1})]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    (tmp_path / "a.csv").write_text(f'"{text}",b\n1,2\n')
    for file in ("a.jsonl", "a.csv"):
        for more in ([], ["--preview"], ["--json"]):
            called = ["-C", str(tmp_path), "import", "messages", str(tmp_path / file), *more,
                      "--source", "old"]  # fmt: skip
            told = CliRunner().invoke(app, called, color=True)
            shown = told.output + str(told.exception or "")
            assert not set(shown) & set("\x1b\x9b\x07\u202e\r")
            assert not [line for line in shown.splitlines() if line.startswith("BAD ")]


def test_whatever_is_said_drives_no_terminal_and_forges_no_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for text in DRIVES:
        terminal.say(text)
        terminal.warn(text)
        terminal.say_table([text], [[text]])
        terminal.say_json({text: [text]})
    said, warned = capsys.readouterr()
    assert not set(said + warned) & set("\x1b\x9b\x07\u202e\r")
    assert not [line for line in warned.splitlines() if line.startswith("BAD ")]
    terminal.say_json(DRIVES)
    assert tuple(json.loads(capsys.readouterr().out)) == DRIVES
