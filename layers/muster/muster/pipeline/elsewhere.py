"""Settings → what measures instead of DuckDB: Athena or Spark, over the same lake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from muster.project import Progress, Project
from muster.results import Kpi
from muster.settings import Athena


def chosen(project: Project, is_kept: bool) -> Callable[..., list[str]] | None:
    """What measures instead of DuckDB, if the settings say so."""
    asked = project.settings
    if asked.engine == "duckdb":
        return None
    if asked.athena and asked.engine == "athena":
        return partial(_by_athena, project, asked.athena, is_kept)
    from muster.kpis import spark

    return partial(spark.compute, lake=project.lake, is_kept=is_kept)


def _by_athena(
    project: Project,
    at: Athena,
    is_kept: bool,
    connection: Any,
    kpis: Sequence[Kpi],
    parameters: Mapping[str, Any],
) -> list[str]:
    """What Athena finds, once its tables know every source; it tells what it read."""
    from muster import services
    from muster.kpis import athena, warehouse
    from muster.pipeline.athena import sync_lake

    there = athena.Athena(services.client("athena"), at.database, at.workgroup, project.lake)
    sync_lake(project, services.client("glue"), at.database)
    problems = warehouse.compute(connection, kpis, parameters, project.lake, there, is_kept=is_kept)
    read = f"{there.statements} statements, {there.scanned / 1e6:,.0f} MB read"
    project.notify(Progress("measure", "Athena", there.statements, read))
    return problems
