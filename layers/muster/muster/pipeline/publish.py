"""A measurement → mails in the outbox and the site; each mail is sent once per recipient."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from functools import wraps
from hashlib import blake2b
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from muster.clock import DAY, period_start
from muster.errors import BadSettings, MaybeSent, MusterError, Refused, Retry, Undeliverable
from muster.goals import xmr
from muster.pipeline import delivery, measure
from muster.pipeline.delivery import Delivery
from muster.project import Project
from muster.reports import data, email, site, templating, view, words
from muster.reports.inert import slug
from muster.reports.model import ReportView
from muster.results import Measured
from muster.settings import Report

P = ParamSpec("P")
R = TypeVar("R")
NOBODY = "nobody@example.invalid"


@dataclass(frozen=True)
class Reported:
    """What became of one report for one recipient; ``error`` is empty if all went well."""

    report: str
    recipient: str
    subject: str
    outcome: str
    path: str
    error: str = ""


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
        _tried(project, found, one, recipient, send, again)
        for one in picked
        for found in [_mailed(project, one, measured)]
        for recipient in one.recipients or (NOBODY,)
    )


def recipients(project: Project, names: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """Every (report, recipient) there is to deliver, once all plans are sound."""
    measure.check_plans(project)
    return tuple((one.name, reader) for one in _chosen(project, names) for reader in one.recipients)


@_in_own_templates
def deliver(project: Project, report: str, recipient: str, send: bool = True) -> Reported:
    """One report to one of its recipients, from the last measurement.

    Raises ``Retry`` if it was not sent and may be later; whoever reads it no more gets nothing.
    """
    (one,) = _chosen(project, [report])
    if recipient not in one.recipients:
        raise BadSettings(f"report {report!r} has no recipient {recipient!r}: see muster.yaml")
    found = _mailed(project, one, measure.latest(project))
    return _delivered(project, found, one, recipient, send, again=False)


@_in_own_templates
def publish_site(project: Project) -> None:
    """Write the site from the last measurement."""
    publish(project, measure.latest(project))


def publish(project: Project, measured: Measured) -> None:
    """Write the site: what pages point to first, the overview last; past reports stay."""
    index = project.site.get("data/index.json")
    files = site.render(
        [_view(project, one, measured) for one in project.settings.reports],
        past=site.past_reports(index.data) if index else (),
        every=_view(project, _every(project), measured),
    )
    values = project.lake.get("tables/kpi_values/part-0.parquet")
    if values is not None:
        files["data/kpi_values.parquet"] = values.data
    for path in sorted(files, key=lambda path: (path.endswith(".html"), path == "index.html")):
        _put_if_new(project, path, files[path])


def _every(project: Project) -> Report:
    """A report of all that is measured, in the site's language."""
    first = project.settings.reports[0]
    return Report(name="every", language=first.language)


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


def _mailed(project: Project, one: Report, measured: Measured) -> ReportView:
    """The report as it is mailed: with the way to leave, and what became of the one before."""
    found = _view(project, one, measured)
    before = period_start(found.period_start - DAY, found.grain)
    told = delivery.failures(project, f"{one.name}-{data.period_id(found.grain, before)}-")
    say = words.load(found.language)
    lines = tuple(
        say("undelivered", recipient=each.recipient, reason=each.reason.rstrip("."))
        for each in told
    )
    leave = f"mailto:{_sender(project, one)}?subject={quote(f'unsubscribe {one.name}')}"
    return replace(found, missing=(*found.missing, *lines), unsubscribe_url=leave)


def _sender(project: Project, one: Report) -> str:
    """The stack's own sender, where it has one: no other is verified there."""
    return project.environment.get("MUSTER_SENDER") or one.sender


def _tried(
    project: Project, found: ReportView, one: Report, recipient: str, send: bool, again: bool
) -> Reported:
    """Delivered, or why not yet: the other recipients get theirs."""
    try:
        return _delivered(project, found, one, recipient, send, again)
    except Retry as error:
        return _told(project, found, recipient, "not sent yet", error)


def _delivered(
    project: Project, found: ReportView, one: Report, recipient: str, send: bool, again: bool
) -> Reported:
    """The mail as a file, with an HTML copy to look at; a receipt once it is sent."""
    name = _name(found, recipient)
    facts = {"report": one.name, "recipient": recipient, "subject": found.subject}
    delivered = Delivery(project, name, facts)
    if delivered.is_sent():
        return _told(project, found, recipient, delivery.SENT_BEFORE)
    try:
        mail = _mail(project, found, one, recipient)
    except Refused as error:
        delivered.fail(str(error))
        return _told(project, found, recipient, "refused", error)
    project.outbox.put(f"{name}.eml", mail.as_bytes())
    project.outbox.put(f"{name}.html", _preview(mail).encode())
    if not send or recipient == NOBODY:
        return _told(project, found, recipient, "written")
    try:
        return _told(project, found, recipient, delivered.send(mail, again=again))
    except Undeliverable as error:
        return _told(project, found, recipient, "refused", error)
    except MaybeSent as error:
        return _told(project, found, recipient, "unclear", error)


def _told(
    project: Project,
    found: ReportView,
    recipient: str,
    outcome: str,
    error: MusterError | None = None,
) -> Reported:
    path = project.outbox.url(f"{_name(found, recipient)}.eml")
    said = str(error) if error else ""
    return Reported(found.name, recipient, found.subject, outcome, path, said)


def _mail(project: Project, found: ReportView, one: Report, recipient: str) -> EmailMessage:
    sender = _sender(project, one)
    return email.render(
        found,
        sender=sender,
        recipient=recipient,
        message_id=f"{_name(found, recipient)}@{sender.rpartition('@')[2]}",
        date=found.as_of,
    )


def _name(found: ReportView, recipient: str) -> str:
    """The same for the same report, period and recipient; two recipients never share one."""
    digest = blake2b(recipient.encode(), digest_size=4).hexdigest()
    period = data.period_id(found.grain, found.period_start)
    return f"{found.name}-{period}-{slug(recipient)[:40]}-{digest}"


def _preview(mail: EmailMessage) -> str:
    """The mail's HTML with its charts inside, for a browser."""
    body = mail.get_body(("html",))
    page = str(body.get_content()) if isinstance(body, EmailMessage) else ""
    for part in mail.walk():
        if name := part["Content-ID"]:
            inside = f"data:image/png;base64,{b64encode(part.get_content()).decode()}"
            page = page.replace(f"cid:{name.strip('<>')}", inside)
    return page
