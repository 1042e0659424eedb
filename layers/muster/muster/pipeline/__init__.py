"""The story in order: fetch → measure → report; the only package that knows every stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muster.pipeline.collect import Fetched
    from muster.pipeline.publish import Reported
    from muster.project import Project
    from muster.results import Measured


def run(
    project: Project, *, send: bool
) -> tuple[tuple[Fetched, ...], Measured, tuple[Reported, ...]]:
    """Fetch every source, measure as of now, and report; a broken source stops nothing."""
    from muster.pipeline import alerts, collect, measure, publish

    measure.check_plans(project)
    fetched = collect.fetch(project)
    measured = measure.measure(project)
    told = alerts.alert(project, send=send) if send else ()
    return fetched, measured, (*publish.report(project, send=send), *told)
