"""One report and a measurement → what its readers see, and its mail to one of them.

Apart from :mod:`muster.pipeline.publish`, so that a mail's function need not import the site.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import ParamSpec, TypeVar

from muster.errors import BadSettings
from muster.goals import goals, xmr
from muster.measured import GoalStatus
from muster.pipeline import latest, mails
from muster.pipeline.mails import Reported
from muster.project import Project
from muster.reports import templating, view
from muster.reports.model import ReportView
from muster.results import Measured
from muster.settings import Report, Settings

P = ParamSpec("P")
R = TypeVar("R")


def in_own_templates(stage: Callable[P, R]) -> Callable[P, R]:
    """A stage that uses the templates beside the project's settings before ours."""

    @wraps(stage)
    def within(*args: P.args, **words: P.kwargs) -> R:
        project = args[0]
        assert isinstance(project, Project)
        with templating.own(project.folder / "templates"):
            return stage(*args, **words)

    return within


@in_own_templates
def deliver(project: Project, report: str, recipient: str, send: bool = True) -> Reported:
    """One report to one of its recipients, from the last measurement.

    Raises ``Retry`` if it was not sent and may be later; whoever reads it no more gets nothing.
    """
    (one,) = chosen(project, [report])
    if recipient not in (*one.recipients, *one.chat):
        raise BadSettings(f"report {report!r} has no recipient {recipient!r}: see muster.yaml")
    letter = mails.letter(one, mailed(project, one, latest.read(project)), recipient)
    return mails.delivered(project, letter, send=send)


def chosen(project: Project, names: Sequence[str]) -> tuple[Report, ...]:
    """The reports of these names, all if there are none; ``BadSettings`` if one is unknown."""
    there = {one.name: one for one in project.settings.reports}
    for name in names:
        if name not in there:
            raise BadSettings(f"no report {name!r}: there are {', '.join(there)}")
    return tuple(there[name] for name in names) if names else tuple(there.values())


def viewed(project: Project, one: Report, measured: Measured) -> ReportView:
    """The report as the site shows it."""
    settings = project.settings
    series = view.all_series(
        measured.kpis, measured.values, one.grain, measured.as_of, settings.zone
    )
    readings = {key: xmr.read(found.numbers, *found.bounds) for key, found in series.items()}
    told = replace(measured, goals=_verdicts(settings, one.grain, measured))
    return view.build(one, settings, told, measured.as_of, readings)


def _verdicts(settings: Settings, grain: str, measured: Measured) -> tuple[GoalStatus, ...]:
    """The goals' verdicts on the report's own period: measuring told those of the last week."""
    if grain == "week":
        return measured.goals
    known = {kpi.id for kpi in measured.kpis}
    set_goals = [goal for goal in settings.goals if goal.kpi in known]
    rest = (measured.as_of, settings.zone, settings.longest_windows)
    return goals.judge(set_goals, measured.kpis, measured.values, grain, *rest)


def mailed(project: Project, one: Report, measured: Measured) -> ReportView:
    """The report as it is mailed: with what became of the mails before."""
    return mails.with_returns(project, one, viewed(project, one, measured))
