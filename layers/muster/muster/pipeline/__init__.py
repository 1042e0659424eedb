"""The story in order: fetch → measure → report; the only package that knows every stage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muster.project import Project


def run(project: Project, *, send: bool) -> Iterator[tuple[str, Any]]:
    """Fetch every source, measure as of now, and report: each stage's name and result, once done.

    A broken source stops nothing.
    """
    from muster.pipeline import alerts, collect, measure, plans, publish

    plans.check_hours(project)
    plans.check_plans(project)
    yield "fetched", collect.fetch(project)
    yield "measured", measure.measure(project)
    told = alerts.alert(project, send=send) if send else ()
    yield "reported", (*publish.report(project, send=send), *told)
