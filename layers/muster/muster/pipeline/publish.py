"""A measurement → mails in the outbox and the site; each mail is sent once per recipient."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from muster.errors import BadSettings
from muster.goals import goals, xmr
from muster.measured import GoalStatus
from muster.pipeline import mails, measure, putting
from muster.pipeline.mails import NOBODY, Reported
from muster.project import Project
from muster.reports import addresses, pages, site, templating, view
from muster.reports.model import ReportView
from muster.results import Measured
from muster.settings import Report, Settings

__all__ = ["Reported", "deliver", "preview", "publish", "publish_site", "recipients", "report"]

P = ParamSpec("P")
R = TypeVar("R")


def _in_own_templates(stage: Callable[P, R]) -> Callable[P, R]:
    """A stage that uses the templates beside the project's settings before ours."""

    @wraps(stage)
    def within(*args: P.args, **words: P.kwargs) -> R:
        project = args[0]
        assert isinstance(project, Project)
        with templating.own(project.folder / "templates"):
            return stage(*args, **words)

    return within


@_in_own_templates
def report(
    project: Project,
    names: Sequence[str] = (),
    as_of: datetime | None = None,
    *,
    send: bool,
    again: bool = False,
) -> tuple[Reported, ...]:
    """Write each report's mails; ``send`` delivers them, once per report, period and recipient.

    The site is published from the last measurement; a report of an earlier ``as_of`` is measured
    for the mail only. ``again`` also sends what may have been sent when a run broke off.
    """
    picked = _chosen(project, names)
    measure.check_plans(project)
    if as_of is None:
        measured = measure.latest(project)
        publish(project, measured)
    else:
        measured = measure.compute(project, as_of, is_kept=False)
    return tuple(
        mails.tried(project, mails.letter(one, found, recipient), send=send, again=again)
        for one in picked
        for found in [_mailed(project, one, measured)]
        for recipient in (*one.recipients, *one.chat) or (NOBODY,)
    )


@_in_own_templates
def preview(
    project: Project, names: Sequence[str] = (), as_of: datetime | None = None
) -> dict[str, str]:
    """Each report's mail as a page for a browser; nothing is published, written or sent."""
    picked = _chosen(project, names)
    measure.check_plans(project)
    measured = measure.compute(project, as_of, is_kept=False) if as_of else measure.latest(project)
    found = {}
    for one in picked:
        reader = one.recipients[0] if one.recipients else NOBODY
        letter = mails.letter(one, _mailed(project, one, measured), reader)
        found[one.name] = mails.for_browser(mails.composed(project, letter))
    return found


def recipients(project: Project, names: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """Every (report, recipient or chat) there is to deliver, once all plans are sound."""
    measure.check_plans(project)
    picked = _chosen(project, names)
    return tuple((one.name, to) for one in picked for to in (*one.recipients, *one.chat))


@_in_own_templates
def deliver(project: Project, report: str, recipient: str, send: bool = True) -> Reported:
    """One report to one of its recipients, from the last measurement.

    Raises ``Retry`` if it was not sent and may be later; whoever reads it no more gets nothing.
    """
    (one,) = _chosen(project, [report])
    if recipient not in (*one.recipients, *one.chat):
        raise BadSettings(f"report {report!r} has no recipient {recipient!r}: see muster.yaml")
    letter = mails.letter(one, _mailed(project, one, measure.latest(project)), recipient)
    return mails.delivered(project, letter, send=send)


@_in_own_templates
def publish_site(project: Project) -> None:
    """Write the site from the last measurement."""
    publish(project, measure.latest(project))


def publish(project: Project, measured: Measured) -> None:
    """Write the site: nobody meets half of it, and past reports stay."""
    index = project.site.get(addresses.INDEX)
    values = project.lake.get("tables/kpi_values/part-0.parquet")
    files = site.render(
        [_view(project, one, measured) for one in project.settings.reports],
        past=site.past_reports(index.data) if index else (),
        every=_view(project, _every(project), measured),
        values=measured.values,
        verdicts=measured.goals,
        files={"kpi_values.parquet": values.data} if values else {},
        engine=_engine(project),
    )
    putting.put(project.site, files)


def _engine(project: Project) -> pages.Engine | None:
    """The database of the page “Ask the data”, if ``muster site ask`` brought it."""
    facts = project.site.get(addresses.ENGINE_FACTS)
    return pages.Engine(**json.loads(facts.data)) if facts else None


def _every(project: Project) -> Report:
    """A report of all that is measured, in the site's language."""
    first = project.settings.reports[0]
    return Report(name="every", language=first.language)


def _chosen(project: Project, names: Sequence[str]) -> tuple[Report, ...]:
    there = {one.name: one for one in project.settings.reports}
    for name in names:
        if name not in there:
            raise BadSettings(f"no report {name!r}: there are {', '.join(there)}")
    return tuple(there[name] for name in names) if names else tuple(there.values())


def _view(project: Project, one: Report, measured: Measured) -> ReportView:
    settings = project.settings
    series = view.all_series(
        measured.kpis, measured.values, one.grain, measured.as_of, settings.zone
    )
    readings = {
        key: xmr.read(found.numbers, found.kpi.lowest, found.kpi.highest)
        for key, found in series.items()
    }
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


def _mailed(project: Project, one: Report, measured: Measured) -> ReportView:
    """The report as it is mailed: with what became of the mails before."""
    return mails.with_returns(project, one, _view(project, one, measured))
