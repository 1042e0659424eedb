"""The lake → every KPI's values, the goals' verdicts, and one object a report is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from muster.goals import goals
from muster.kpis import catalogue
from muster.lake.nearby import nearby
from muster.measured import GoalStatus, KpiValue
from muster.pipeline import definitions, elsewhere, freshness, lake_views, latest, plans, quotes
from muster.pipeline.again import patiently
from muster.project import Progress, Project, all_sources
from muster.results import Kpi, Measured

PAUSES = (0.5, 1, 2, 4, 8)  # in seconds: other runs may write the lake meanwhile


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

    settings, kpis = project.settings, plans.check_plans(project)
    project.notify(Progress("measure", "KPIs", len(kpis), ""))
    connection = lake_views.connected(project)
    coverage = tuple(freshness.coverage_of(project, as_of))
    outcome = runner.measure(
        connection,
        settings,
        kpis,
        as_of=as_of,
        coverage=coverage,
        lake=project.lake if is_kept else None,
        elsewhere=elsewhere.chosen(project, is_kept),
    )
    facts = tuple(
        freshness.facts_of(project, source, as_of, connection) for source in all_sources(project)
    )
    verdicts = tuple(_verdicts(project, kpis, outcome.values, as_of))
    known = definitions.noted(project, kpis, as_of)
    money = other_money.other_money(connection, settings.currency, as_of)
    said = tuple(quotes.voices(connection, settings, as_of))
    if is_kept:
        _keep_verdicts(project, verdicts)
        definitions.keep(project, known)
        lake_views.keep(project)
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


def judged(project: Project) -> tuple[tuple[GoalStatus, ...], tuple[str, ...]]:
    """The goals' verdicts of the last measurement, and the measured KPIs that serve no goal."""
    measured = latest.read(project)
    loose = goals.without_goal(project.settings.goals, (one.kpi for one in measured.values))
    return measured.goals, loose


def catalogue_of(folder: Path) -> tuple[Kpi, ...]:
    """The KPIs a project folder can measure: the built-in ones and its own."""
    return catalogue.load(folder / "kpis")


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
