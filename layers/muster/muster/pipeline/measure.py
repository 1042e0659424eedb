"""The lake → every KPI's values, the goals' verdicts, and one object a report is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from muster.errors import BadSettings
from muster.goals import goals
from muster.kpis import catalogue, worktime
from muster.lake import raw, state
from muster.lake.nearby import nearby
from muster.lake.state import State
from muster.measured import Coverage, GoalStatus, KpiValue
from muster.pipeline import definitions, latest, left_behind, quotes, schedules
from muster.pipeline.again import patiently
from muster.project import Progress, Project, all_sources, place
from muster.reports import view
from muster.results import Kpi, Measured, SourceFacts
from muster.settings import Athena, Source
from muster.store import Store

VIEWS = "measured/views.sql"  # for whoever opens the lake with a DuckDB of their own
_SALES_ELSEWHERE = """
select count(*) > 0
from site_traffic
where channel not in ('organic_social', 'paid_social') and (purchases > 0 or revenue > 0)
"""
PAUSES = (0.5, 1, 2, 4, 8)  # in seconds: other runs may write the lake meanwhile
STALE_AFTER = timedelta(hours=26)


def measure(project: Project, as_of: datetime | None = None) -> Measured:
    """Measure as of an instant (now if none is given) and store what a report needs."""
    measured = compute(project, as_of or project.clock(), is_kept=True)
    latest.keep(project, measured)
    return measured


def compute(project: Project, as_of: datetime, *, is_kept: bool) -> Measured:
    """Measure as of an instant; the derived tables are written only if they are to be kept."""
    from muster.kpis import engine

    reached = partial(_reached, project, as_of, is_kept)
    return patiently(reached, engine.Replaced, PAUSES, project.sleep)


def _reached(project: Project, as_of: datetime, is_kept: bool) -> Measured:
    from muster.kpis import engine

    with engine.reached(project.lake.url()), nearby(project.lake) as lake:
        return _computed(replace(project, lake=lake), as_of, is_kept)


def _computed(project: Project, as_of: datetime, is_kept: bool) -> Measured:
    from muster.kpis import other_money, runner

    settings, kpis = project.settings, check_plans(project)
    project.notify(Progress("measure", "KPIs", len(kpis), ""))
    connection = connected(project)
    coverage = tuple(coverage_of(project, as_of))
    outcome = runner.measure(
        connection,
        settings,
        kpis,
        as_of=as_of,
        coverage=coverage,
        lake=project.lake if is_kept else None,
        elsewhere=_elsewhere(project, is_kept),
    )
    facts = tuple(_facts(project, source, as_of, connection) for source in all_sources(project))
    verdicts = tuple(_verdicts(project, kpis, outcome.values, as_of))
    known = definitions.noted(project, kpis, as_of)
    money = other_money.other_money(connection, settings.currency, as_of)
    said = tuple(quotes.voices(connection, settings, as_of))
    if is_kept:
        _keep_verdicts(project, verdicts)
        definitions.keep(project, known)
        _keep_views(project)
    return Measured(
        as_of,
        kpis,
        outcome.values,
        verdicts,
        quotes.begun(connection, outcome.waiting, len(outcome.waiting) + outcome.waiting_more),
        facts,
        outcome.problems,
        outcome.suspected,
        known,
        money,
        said,
        outcome.waiting_more,
        outcome.waiting_old,
    )


def connected(project: Project) -> Any:
    """A DuckDB connection with the tables of the lake, where the lake says they are near."""
    from muster.kpis import engine

    url, environment = project.lake.url(), project.environment
    return engine.connect(url, environment=environment, files=partial(files, project.lake))


def _keep_views(project: Project) -> None:
    from muster.kpis import engine

    url, environment = project.lake.url(), project.environment
    views = engine.views(url, environment=environment, files=partial(files, project.lake))
    project.lake.put(VIEWS, views.encode())


def files(lake: Store, table: str) -> tuple[str, ...]:
    """Where the Parquet files of a table are read."""
    keys = (entry.key for entry in lake.list(f"tables/{table}/"))
    return lake.urls(key for key in keys if key.endswith(".parquet"))


def _elsewhere(project: Project, is_kept: bool) -> Callable[..., list[str]] | None:
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


def check_plans(project: Project) -> tuple[Kpi, ...]:
    """The catalogue, once every goal and report can rest on it (else ``BadSettings``)."""
    kpis = catalogue.load(project.kpi_folder)
    for number, goal in enumerate(project.settings.goals):
        with _placed(project, "goals", number):
            goals.check([goal], kpis, lambda: _has_sales_elsewhere(project))
    for number, report in enumerate(project.settings.reports):
        with _placed(project, "reports", number):
            view.check([report], kpis, project.settings.goals)
            schedules.schedule(report, project.settings)
    return kpis


def check_hours(project: Project) -> None:
    """``BadSettings`` for a country or region whose holidays nobody knows; a mail needs none."""
    for number, schedule in enumerate(project.settings.business_hours):
        with _placed(project, "business_hours", number):
            worktime.accept(schedule)
    for number, source in enumerate(project.settings.sources):
        with _placed(project, "sources", number):
            for schedule in source.business_hours:
                worktime.accept(schedule)


def _has_sales_elsewhere(project: Project) -> bool:
    """Whether the lake holds sales of other channels than social ones.

    The report's function carries no engine; what it tells was checked when it was measured.
    """
    if not any(project.lake.list("tables/site_traffic/")):
        return False
    try:
        from muster.kpis import engine
    except ImportError:
        return True
    connection = engine.without_views(project.lake.url(), project.environment)
    engine.view_of(connection, "site_traffic", "site_traffic", files(project.lake, "site_traffic"))
    return bool(connection.execute(_SALES_ELSEWHERE).fetchall()[0][0])


@contextmanager
def _placed(project: Project, part: str, number: int) -> Iterator[None]:
    """An error about a part of the settings says in which line that part stands."""
    try:
        yield
    except BadSettings as error:
        raise BadSettings(f"{place(project, part, number)}: {error}") from error


def judged(project: Project) -> tuple[tuple[GoalStatus, ...], tuple[str, ...]]:
    """The goals' verdicts of the last measurement, and the measured KPIs that serve no goal."""
    measured = latest.read(project)
    loose = goals.without_goal(project.settings.goals, (one.kpi for one in measured.values))
    return measured.goals, loose


def catalogue_of(folder: Path) -> tuple[Kpi, ...]:
    """The KPIs a project folder can measure: the built-in ones and its own."""
    return catalogue.load(folder / "kpis")


def _is_fetched(source: Source | None) -> bool:
    return source is not None and source.platform != "file"


def coverage_of(project: Project, as_of: datetime) -> Iterator[Coverage]:
    """What successes vouch for: a fetch to its last success, an import to ``as_of``."""
    for name in all_sources(project):
        source, memory = project.settings.source(name), state.told(project.lake, name)
        is_fetched = _is_fetched(source) if source else left_behind.was_fetched(memory)
        to_at = memory.last_success_at if is_fetched else as_of
        for table in memory.covered:
            from_at = memory.vouched_from(table)
            if to_at is not None and from_at < to_at:
                yield Coverage(source=name, table_name=table, from_at=from_at, to_at=to_at)


def _facts(project: Project, name: str, as_of: datetime, connection: object) -> SourceFacts:
    source, memory = project.settings.source(name), state.told(project.lake, name)
    return SourceFacts(
        name=name,
        platform=source.platform if source else "file",
        last_success_at=memory.last_success_at if _is_fetched(source) else memory.last_run_at,
        last_error=memory.last_error,
        is_stale=_is_stale(source, memory, as_of),
        messages=_messages(connection, name),
        quarantined=raw.quarantined(project.lake, name),
        timezone=source.timezone if source else None,
        trouble=memory.last_trouble,
    )


def _messages(connection: object, name: str) -> int:
    sql = "select count(*) from messages where source = ?"
    return int(connection.execute(sql, [name]).fetchall()[0][0])  # type: ignore[attr-defined]


def _is_stale(source: Source | None, memory: State, as_of: datetime) -> bool:
    """Fetched, and a day and two hours without a success, or twice its interval."""
    if source is None or not _is_fetched(source):
        return False
    patience = max(STALE_AFTER, 2 * source.every)
    return memory.last_success_at is None or as_of - memory.last_success_at > patience


def _verdicts(
    project: Project, kpis: Sequence[Kpi], values: Sequence[KpiValue], as_of: datetime
) -> Iterator[GoalStatus]:
    yield from goals.judge(
        project.settings.goals,
        kpis,
        values,
        "week",
        as_of,
        project.settings.zone,
        project.settings.longest_windows,
    )


def _keep_verdicts(project: Project, verdicts: Sequence[GoalStatus]) -> None:
    from muster.kpis import derived

    data = derived.rows_as_parquet(GoalStatus, verdicts)
    project.lake.put("tables/goal_status/part-0.parquet", data)
