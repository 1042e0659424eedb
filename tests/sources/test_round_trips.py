"""Every platform's lake again from its raw items, and again from its own export: row for row."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from recorded import RECORDINGS, Recorded
from thorough import tries

from muster.kpis import engine
from muster.lake import merge, state
from muster.pipeline import collect, importing
from muster.project import Project, open_project
from muster.records import TABLES, KnownMessage, Message, columns
from muster.sources import platform_names
from muster.sources._http import Http
from muster.terminal import say_csv, say_records

sys.path.insert(0, str(Path(__file__).parents[1] / "lake"))
from observations import rows

NAMES = [name for name in platform_names() if (RECORDINGS / f"{name}.json").exists()]
# To ask a lake for all its tables takes a quarter of a second.
SOME = NAMES[:: tries(6, 1)]
Lake = dict[tuple[Any, ...], dict[str, Any]]
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def to_parquet(lake: str, sql: str, file: Path) -> None:
    file.write_bytes(engine.ask_parquet(lake, sql))


def to_json(lake: str, sql: str, file: Path) -> None:
    answer = engine.ask(lake, sql)
    with file.open("w", encoding="utf-8") as out, redirect_stdout(out):
        say_records(answer.columns, answer.rows)


WRITERS = {"parquet": to_parquet, "json": to_json}


@pytest.fixture(params=NAMES)
def one(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


def opened(one: Recorded, folder: Path) -> Project:
    """A project of this one source, whose platform answers as recorded."""
    folder.mkdir()
    (folder / "muster.yaml").write_text("community: Test\n")
    http = Http(transport=one.wire(), clock=lambda: one.now, sleep=lambda seconds: None)
    secret, source = one.secret, one.options
    if secret is not None:
        source = source.model_copy(update={"token": "env:SECRET"})
    environment = {"SECRET": secret} if secret is not None else {}
    project = open_project(folder, clock=lambda: one.now, environment=environment, http=http)
    settings = project.settings.model_copy(update={"sources": [source]})
    return replace(project, settings=settings)


def fetched(one: Recorded, folder: Path) -> tuple[Project, Lake]:
    """The same after a fetch into a lake that knew what the recording's did, and what is new."""
    project, name, window = opened(one, folder), one.options.name, one.window()
    known = [*window.known(LONG_AGO), *window.reviews(), *window.responses()]
    merge.merge(project.lake, name, [(_row(row), LONG_AGO) for row in known])
    before = lake_of(project)
    state.save(project.lake, name, state.State(cursor=dict(window.cursor)))
    (told,) = collect.fetch(project)
    assert not told.error
    return project, without(lake_of(project), before)


def _row(known: Any) -> Any:
    if isinstance(known, KnownMessage):
        return Message(
            **{name: getattr(known, name) for name in ("message_id", "thread_id", "created_at")}
        )
    return known


def lake_of(project: Project) -> Lake:
    """Every row of every table, by table and key."""
    return {
        (name, row["source"], *(row[part] for part in table.key)): row
        for name, table in TABLES.items()
        for row in rows(project.lake, name)
    }


def without(lake: Lake, known: Lake) -> Lake:
    """The rows that only the fetch brought: of the others raw may tell a part only."""
    return {key: row for key, row in lake.items() if key not in known}


def test_a_replay_gives_the_lake_that_the_fetch_gave(one: Recorded, tmp_path: Path) -> None:
    project, brought = fetched(one, tmp_path / "lake")
    assert brought
    known = lake_of(project).keys() - brought.keys()
    for entry in list(project.lake.list("tables/")):
        project.lake.delete(entry.key)
    collect.replay(project)
    assert without(lake_of(project), dict.fromkeys(known, {})) == brought


@pytest.mark.parametrize("form", ["parquet", "json"])
@pytest.mark.parametrize("one", SOME, indirect=True)
def test_what_is_exported_and_imported_gives_the_same_lake(
    one: Recorded, tmp_path: Path, form: str
) -> None:
    project, _ = fetched(one, tmp_path / "lake")
    there = opened(one, tmp_path / "there")
    for name in {key[0] for key in lake_of(project)}:
        file = tmp_path / f"{name}.{form}"
        WRITERS[form](project.lake.url(), f"select * from {name}", file)
        imported = importing.import_file(there, name, file)
        assert not imported.refusals, imported.refused
    assert unseen(lake_of(there)) == unseen(lake_of(project))


def unseen(lake: Lake) -> Lake:
    """Without when each row was observed: an import observes it now."""
    return {key: {**row, "observed_at": None} for key, row in lake.items()}


@pytest.mark.parametrize("one", SOME, indirect=True)
def test_an_exported_csv_is_taken_whole(one: Recorded, tmp_path: Path) -> None:
    """Texts may gain an apostrophe there, but lists, times and numbers are what they were."""
    project, _ = fetched(one, tmp_path / "lake")
    there = opened(one, tmp_path / "there")
    for name in {key[0] for key in lake_of(project)}:
        answer, file = engine.ask(project.lake.url(), f"select * from {name}"), tmp_path / name
        with file.open("w", encoding="utf-8") as out, redirect_stdout(out):
            say_csv(answer.columns, answer.rows)
        imported = importing.import_file(there, name, file)
        assert (imported.rows, imported.refused) == (len(answer.rows), ())
        lists = [column.name for column in columns(TABLES[name].row) if column.type == "strings"]
        for column in lists:
            assert _all(there, name, column) == _all(project, name, column)


def _all(project: Project, table: str, column: str) -> list[str]:
    return sorted(repr(row[column]) for row in rows(project.lake, table))
