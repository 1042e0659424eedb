"""The lake's files → a DuckDB connection in which its tables can be asked."""

from __future__ import annotations

from functools import partial
from typing import Any

from muster.project import Project
from muster.store import Store

VIEWS = "measured/views.sql"  # for whoever opens the lake with a DuckDB of their own


def connected(project: Project) -> Any:
    """A DuckDB connection with the tables of the lake, where the lake says they are near."""
    from muster.kpis import engine

    url, environment = project.lake.url(), project.environment
    return engine.connect(url, environment=environment, files=partial(files, project.lake))


def keep(project: Project) -> None:
    """Write the views for whoever opens the lake from elsewhere."""
    from muster.kpis import engine

    url, environment = project.lake.url(), project.environment
    views = engine.views(url, environment=environment, files=partial(files, project.lake))
    project.lake.put(VIEWS, views.encode())


def files(lake: Store, table: str) -> tuple[str, ...]:
    """Where the Parquet files of a table are read."""
    keys = (entry.key for entry in lake.list(f"tables/{table}/"))
    return lake.urls(key for key in keys if key.endswith(".parquet"))
