"""Settings and catalogue → whether goals, reports and business hours can rest on what there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from muster.errors import BadSettings
from muster.goals import goals
from muster.kpis import catalogue, worktime
from muster.pipeline import lake_views, schedules
from muster.project import Project, place
from muster.reports import view
from muster.results import Kpi

_SALES_ELSEWHERE = """
select count(*) > 0
from site_traffic
where channel not in ('organic_social', 'paid_social') and (purchases > 0 or revenue > 0)
"""


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
    files = lake_views.files(project.lake, "site_traffic")
    engine.view_of(connection, "site_traffic", "site_traffic", files)
    return bool(connection.execute(_SALES_ELSEWHERE).fetchall()[0][0])


@contextmanager
def _placed(project: Project, part: str, number: int) -> Iterator[None]:
    """An error about a part of the settings says in which line that part stands."""
    try:
        yield
    except BadSettings as error:
        raise BadSettings(f"{place(project, part, number)}: {error}") from error
