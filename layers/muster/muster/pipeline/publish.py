"""A measurement → mails in the outbox and the site; each mail is sent once per recipient."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from muster.pipeline import latest, mails, measure, plans, putting
from muster.pipeline.mails import NOBODY, Reported
from muster.pipeline.reporting import chosen, in_own_templates, mailed, viewed
from muster.project import Project
from muster.remembered import Remembered, from_json
from muster.reports import addresses, pages, site
from muster.results import Measured
from muster.settings import Report

PAST = Remembered(site.past_reports, "the site then no longer lists earlier reports, which stay")
ENGINE = Remembered(
    from_json(lambda told: pages.Engine(str(told["version"]), int(told["megabytes"]))),
    "until then the page “Ask the data” only says how to bring it", "run muster site ask",
)  # fmt: skip


@in_own_templates
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
    picked = chosen(project, names)
    plans.check_plans(project)
    if as_of is None:
        measured = latest.read(project)
        publish(project, measured)
    else:
        measured = measure.compute(project, as_of, is_kept=False)
    return tuple(
        mails.tried(project, mails.letter(one, found, recipient), send=send, again=again)
        for one in picked
        for found in [mailed(project, one, measured)]
        for recipient in (*one.recipients, *one.chat) or (NOBODY,)
    )


@in_own_templates
def preview(
    project: Project, names: Sequence[str] = (), as_of: datetime | None = None
) -> dict[str, str]:
    """Each report's mail as a page for a browser; nothing is published, written or sent."""
    picked = chosen(project, names)
    plans.check_plans(project)
    measured = measure.compute(project, as_of, is_kept=False) if as_of else latest.read(project)
    found = {}
    for one in picked:
        reader = one.recipients[0] if one.recipients else NOBODY
        letter = mails.letter(one, mailed(project, one, measured), reader)
        found[one.name] = mails.for_browser(mails.composed(project, letter))
    return found


def recipients(project: Project, names: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """Every (report, recipient or chat) there is to deliver, once all plans are sound."""
    plans.check_plans(project)
    picked = chosen(project, names)
    return tuple((one.name, to) for one in picked for to in (*one.recipients, *one.chat))


@in_own_templates
def publish_site(project: Project) -> None:
    """Write the site from the last measurement."""
    publish(project, latest.read(project))


def publish(project: Project, measured: Measured) -> None:
    """Write the site: nobody meets half of it, and past reports stay."""
    past = PAST.get(project.site, addresses.INDEX) or ()
    values = project.lake.get("tables/kpi_values/part-0.parquet")
    files = site.render(
        [viewed(project, one, measured) for one in project.settings.reports],
        past=past,
        every=viewed(project, _every(project), measured),
        values=measured.values,
        verdicts=measured.goals,
        files={"kpi_values.parquet": values.data} if values else {},
        engine=_engine(project),
    )
    putting.put(project.site, files)


def _engine(project: Project) -> pages.Engine | None:
    """The database of the page “Ask the data”, if ``muster site ask`` brought it."""
    return ENGINE.spare(project.site, addresses.ENGINE_FACTS)


def _every(project: Project) -> Report:
    """A report of all that is measured, in the site's language and periods."""
    first = project.settings.reports[0]
    return Report(name="every", language=first.language, grain=first.grain)
