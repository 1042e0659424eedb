"""A measurement → mails in the outbox and the site; each mail is sent once per recipient."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import blake2b

from muster.errors import BadSettings
from muster.goals import xmr
from muster.pipeline import measure
from muster.project import Project
from muster.reports import data, email, site, view
from muster.reports.inert import slug
from muster.reports.model import ReportView
from muster.results import Measured
from muster.settings import Report

NOBODY = "nobody@example.invalid"


@dataclass(frozen=True)
class Reported:
    """What became of one report for one recipient: written, sent, or sent before."""

    report: str
    recipient: str
    subject: str
    outcome: str
    path: str


def report(
    project: Project, names: Sequence[str] = (), as_of: datetime | None = None, *, send: bool
) -> tuple[Reported, ...]:
    """Write each report's mails; ``send`` delivers them, once per report, period and recipient.

    The site is published from the last measurement; a report of an earlier ``as_of`` is measured
    for the mail only.
    """
    picked = _chosen(project, names)
    measure.check_plans(project)
    if as_of is None:
        measured = measure.latest(project)
        publish(project, measured)
    else:
        measured = measure.compute(project, as_of, is_kept=False)
    return tuple(
        _deliver(project, found, one, recipient, send)
        for one in picked
        for found in [_view(project, one, measured)]
        for recipient in one.recipients or (NOBODY,)
    )


def publish(project: Project, measured: Measured) -> None:
    """Write the site: what pages point to first, the overview last; past reports stay."""
    index = project.site.get("data/index.json")
    files = site.render(
        [_view(project, one, measured) for one in project.settings.reports],
        past=site.past_reports(index.data) if index else (),
        every=_view(project, Report(name="every"), measured),
    )
    values = project.lake.get("tables/kpi_values/part-0.parquet")
    if values is not None:
        files["data/kpi_values.parquet"] = values.data
    for path in sorted(files, key=lambda path: (path.endswith(".html"), path == "index.html")):
        _put_if_new(project, path, files[path])


def _put_if_new(project: Project, path: str, content: bytes) -> None:
    there = project.site.get(path)
    if there is None or there.data != content:
        project.site.put(path, content)


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
    return view.build(one, settings, measured, measured.as_of, readings)


def _deliver(
    project: Project, found: ReportView, one: Report, recipient: str, send: bool
) -> Reported:
    """The mail as a file, with an HTML copy to look at; a receipt once it is sent."""
    name = _name(found, recipient)
    receipt = project.outbox.get(f"{name}.sent.json")
    told = Reported(one.name, recipient, found.subject, "", project.outbox.url(f"{name}.eml"))
    if receipt is not None:
        return Reported(**asdict(told) | {"outcome": "sent before"})
    mail = email.render(
        found,
        sender=one.sender,
        recipient=recipient,
        message_id=f"{name}@{one.sender.rpartition('@')[2]}",
        date=found.as_of,
    )
    project.outbox.put(f"{name}.eml", mail.as_bytes())
    project.outbox.put(f"{name}.html", _preview(found).encode())
    if send and recipient != NOBODY:
        facts = {"report": one.name, "recipient": recipient, "subject": found.subject}
        sent = facts | {"sent_at": project.clock().isoformat()}
        project.outbox.put(f"{name}.sent.json", json.dumps(sent, indent=1).encode())
        return Reported(**asdict(told) | {"outcome": "put into the outbox"})
    return Reported(**asdict(told) | {"outcome": "written"})


def _name(found: ReportView, recipient: str) -> str:
    """The same for the same report, period and recipient; two recipients never share one."""
    digest = blake2b(recipient.encode(), digest_size=4).hexdigest()
    period = data.period_id(found.grain, found.period_start)
    return f"{found.name}-{period}-{slug(recipient)[:40]}-{digest}"


def _preview(found: ReportView) -> str:
    """The mail's HTML with its charts inside, for a browser."""
    page = email.html(found)
    for image in email.images(found):
        inside = f"data:image/png;base64,{b64encode(image.data).decode()}"
        page = page.replace(f"cid:{image.cid}", inside)
    return page
