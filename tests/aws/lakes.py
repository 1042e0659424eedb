"""Two lakes → what differs between them; and the lake that a laptop makes of the same platforms."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import duckdb
from world import World

from muster.clock import Clock, fixed_clock, system_clock
from muster.lake import state
from muster.pipeline import collect, importing, latest, measure
from muster.project import Project, open_project
from muster.records import TABLES
from muster.sources._http import Http

# When a row was seen by this lake, which is no fact about the row.
OF_THE_LAKE = ("observed_at",)


def on_a_laptop(cloud: World, copy: Path, folder: Path) -> Path:
    """The lake of a folder, fetched from the same platforms as of the same instants.

    ``copy`` is the cloud's lake: it says when each source was fetched, and when it was measured.
    """
    cloud.restart_platforms()
    histories = cloud.platforms.write_project(folder)
    here = _project(cloud, folder)
    there = _project(cloud, folder, lake=copy)
    for source in here.settings.sources:
        at = state.load(there.lake, source.name).last_run_at
        assert at is not None
        (fetched,) = collect.fetch(_project(cloud, folder, at=at), [source.name])
        assert not fetched.error
    for name, path in histories.items():
        importing.import_file(here, "audience", path, name)
    measure.measure(here, latest.read(there).as_of)
    return folder / "lake"


def _project(
    cloud: World, folder: Path, *, lake: Path | None = None, at: datetime | None = None
) -> Project:
    (folder / "muster.yaml").write_text(
        cloud.settings.replace("lake: ./lake", f"lake: {lake or './lake'}"), "utf-8"
    )
    return open_project(
        folder,
        clock=fixed_clock(at) if at else system_clock,
        environment={**os.environ, **cloud.platforms.tokens},
        http=Http(clock=_going_on_from(at) if at else system_clock),
    )


def _going_on_from(at: datetime) -> Clock:
    """A clock that shows ``at`` and goes on: what was counted is filed under the day it shows."""
    ahead = at - system_clock()
    return lambda: system_clock() + ahead


def tables(lake: Path) -> set[str]:
    """The tables that a lake has."""
    return {path.name for path in (lake / "tables").iterdir()}


def rows(lake: Path, table: str) -> list[str]:
    """Every row of a table as text, without what is no fact about it, in one order."""
    found = _read(lake, table)
    kinds = dict(zip(found.columns, found.types, strict=True))
    # Threads add up in the order in which they end: a mean's ninth decimal may be another.
    kept = ", ".join(
        f'round("{name}", 7)' if kinds[name] == "DOUBLE" else f'"{name}"'
        for name in sorted(set(kinds) - set(OF_THE_LAKE))
    )
    return [row for (row,) in found.query(
        "found", f"select (row({kept}))::varchar as told from found order by told"
    ).fetchall()]  # fmt: skip


def keys_of(lake: Path, table: str) -> list[tuple[object, ...]]:
    """What names each row of a fetched table, in one order."""
    names = ", ".join(f"cast({name} as varchar)" for name in ("source", *TABLES[table].key))
    return _read(lake, table).query("found", f"select {names} from found order by all").fetchall()


def _read(lake: Path, table: str) -> duckdb.DuckDBPyRelation:
    files = f"{lake}/tables/{table}/**/*.parquet"
    return duckdb.sql(
        f"from read_parquet('{files}', hive_partitioning = true, union_by_name = true)"
    )
