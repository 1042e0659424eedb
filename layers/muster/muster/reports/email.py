"""A report's view goes in, one recipient's mail comes out: text, HTML and its charts as PNG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

import css_inline

from muster.errors import Refused
from muster.reports import (
    addresses,
    chart,
    inert,
    numbers,
    small_charts,
    templating,
    wording,
    words,
)  # fmt: skip
from muster.reports.between import Alert
from muster.reports.model import Change, GoalLine, Measure, ReportView
from muster.reports.png import png
from muster.reports.recent import recent
from muster.reports.wording import Sign

#: Gmail cuts a mail near 102 KB; what the HTML may weigh before measures move to the site.
HEAVIEST = 78_000


class _Policy(EmailPolicy):
    """Python's own, but for the subject: it may put all of it, or a blank too many, on line two."""

    def fold(self, name: str, value: Any) -> str:
        if name != "Subject":
            return super().fold(name, value)
        charset = "us-ascii" if value.isascii() else "utf-8"
        lines = Header(str(value), charset, maxlinelen=75, header_name=name)
        return f"{name}: {lines.encode(linesep=self.linesep)}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


@dataclass(frozen=True)
class Image:
    """A chart attached to the mail: its Content-ID, its size on screen, what it says in words."""

    cid: str
    width: int
    height: int
    alt: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Row:
    """A measure as one row of the mail's table."""

    measure: Measure
    sign: Sign
    aside: str
    compared: tuple[tuple[str, str], ...]
    image: Image | None


def render(
    view: ReportView, *, sender: str, recipient: str, message_id: str, date: datetime
) -> EmailMessage:
    """The mail of one report to one recipient; the same arguments give the same bytes.

    ``message_id`` is without angle brackets. ``Refused`` if an address is none.
    """
    view = recent(inert.everything(view))
    mail = _headed(view, sender, recipient, message_id, date)
    images = _images(view)
    mail.set_content(_fill(view, "report.txt", {}, _rows(view, {}), ""))
    mail.add_alternative(_page(view, images), subtype="html")
    body = mail.get_body(("html",))
    if isinstance(body, MIMEPart):
        for image in images.values():
            _attach(body, image)
    _fix_boundaries(mail, message_id)
    return mail


def plain(view: ReportView) -> str:
    """The report as text: everything the HTML says."""
    view = recent(inert.everything(view))
    return _fill(view, "report.txt", {}, _rows(view, {}), "")


def html(view: ReportView) -> str:
    """The report as HTML whose charts are named by Content-ID."""
    view = recent(inert.everything(view))
    return _page(view, _images(view))


def images(view: ReportView) -> tuple[Image, ...]:
    """The charts the HTML names."""
    return tuple(_images(recent(inert.everything(view))).values())


def alert(
    told: Alert, *, sender: str, recipient: str, message_id: str, date: datetime
) -> EmailMessage:
    """The mail of one alert to one recipient."""
    told = inert.everything(told)
    say = words.load(told.language)
    found = [
        (one, wording.sign(one.tone, one.word), addresses.on_site(told.site_url, one.page))
        for one in told.found
    ]
    facts = {"view": told, "say": say, "found": found, "rule": "=" * min(len(told.title), 70)}
    mail = _headed(told, sender, recipient, message_id, date)
    mail.set_content(templating.filled("email", "alert.txt", facts))
    page = templating.filled("email", "alert.html", facts)
    mail.add_alternative(_inlined(page), subtype="html")
    _fix_boundaries(mail, message_id)
    return mail


def _headed(
    view: ReportView | Alert, sender: str, recipient: str, message_id: str, date: datetime
) -> EmailMessage:
    """A mail with all its headers and no body yet."""
    mail = EmailMessage(_Policy())
    mail["From"] = _address(sender, view.community)
    mail["To"] = _address(recipient, "")
    mail["Subject"] = view.subject
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = f"<{inert.text(message_id).strip('<>')}>"
    mail["Auto-Submitted"] = "auto-generated"
    if view.unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{view.unsubscribe_url}>"
    if view.unsubscribe_url.startswith("https:"):
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return mail


def _address(raw: str, name: str) -> Address:
    """``Refused`` unless it is one mail address and nothing else."""
    try:
        if inert.text(raw) != raw or "@" not in raw[1:-1]:
            raise ValueError(raw)
        return Address(display_name=name, addr_spec=raw)
    except (ValueError, IndexError) as error:
        shown = inert.text(raw, 80)
        raise Refused(
            f"{shown!r} is no mail address: correct it in muster.yaml under reports"
        ) from error


def _page(view: ReportView, images: dict[str, Image]) -> str:
    """The HTML, with fewer measures if all of them would make it too heavy."""
    say = words.load(view.language)
    rows = _rows(view, images)
    for count in (len(rows), *range(len(rows) - len(rows) % 4 - 4, -1, -4)):
        left = len(rows) - count
        left_out = say("more_on_site", n=left) if left > 0 else ""
        page = _inlined(_fill(view, "report.html", images, rows[: max(count, 0)], left_out))
        if len(page.encode()) <= HEAVIEST:
            return page
    return page


def _inlined(page: str) -> str:
    return numbers.glued(css_inline.CSSInliner(load_remote_stylesheets=False).inline(page))


def _fill(
    view: ReportView, template: str, images: dict[str, Image], rows: tuple[Row, ...], left_out: str
) -> str:
    say = words.load(view.language)
    facts: dict[str, Any] = {
        "view": view,
        "say": say,
        "rule": "=" * min(len(view.title), 70),
        "objectives": _goals(view.goals, images),
        "changes": tuple(_change(view, change) for change in view.changes),
        "headline": view.headline,
        "wide": images.get("wide"),
        "narrow": images.get("narrow"),
        "rows": rows,
        "left_out": left_out,
        "old_at": _old_at(view),
        "behind": wording.BEHIND,
        "caption": wording.band(view.headline, say) if view.headline else "",
        "marked": wording.marked(view.headline, view, say) if view.headline else "",
    }
    return templating.filled("email", template, facts)


def _old_at(view: ReportView) -> str:
    """Where the site lists who has waited for long."""
    page = addresses.report_page(view.name, view.period_start)
    return addresses.on_site(view.site_url, f"{page}#waiting") if view.waiting_old else ""


def _goals(goals: Iterable[GoalLine], images: dict[str, Image]) -> list[tuple[str, list[Any]]]:
    """(objective, [(goal, sign, image)]) in order; the text part has no images."""
    numbered = {id(goal): f"goal-{number}" for number, goal in enumerate(goals)}
    return [
        (
            objective,
            [
                (line, wording.sign(line.status, line.status_text), images.get(numbered[id(line)]))
                for line in lines
            ],
        )
        for objective, lines in wording.objectives(goals)
    ]


def _change(view: ReportView, change: Change) -> tuple[Change, Sign, str]:
    url = addresses.on_site(view.site_url, addresses.kpi_page(change.kpi))
    return change, wording.sign_of_change(change, words.load(view.language)), url


def _rows(view: ReportView, images: dict[str, Image]) -> tuple[Row, ...]:
    say = words.load(view.language)
    return tuple(
        Row(
            measure=one,
            sign=wording.sign(one.tone, one.reading),
            aside=wording.aside(one, say),
            compared=wording.compared(one, say),
            image=images.get(f"spark-{number}"),
        )
        for number, one in enumerate(view.measures)
    )


def _images(view: ReportView) -> dict[str, Image]:
    """Every chart of the mail under its name: wide, narrow, goal-0 …, spark-0 …"""
    say = words.load(view.language)
    drawn: dict[str, tuple[str, tuple[float, float], str]] = {}
    if view.headline:
        for frame in (chart.MAIL, chart.NARROW):
            svg = chart.xmr(view.headline, say, frame, view.events)
            name = "wide" if frame is chart.MAIL else "narrow"
            drawn[name] = (svg, (frame.width, frame.height), chart.describe(view.headline, say))
    for number, goal in enumerate(view.goals):
        svg = small_charts.bullet(goal, say, f"goal-{number}")
        drawn[f"goal-{number}"] = (svg, small_charts.BULLET, small_charts.in_words(goal, say))
    for number, measure in enumerate(view.measures):
        if wording.is_drawn(measure):
            svg = small_charts.sparkline(measure, say)
            told = wording.routine(measure, say) or chart.describe(measure, say)
            drawn[f"spark-{number}"] = (svg, small_charts.SPARK, told)
    return {
        name: Image(f"{name}@muster", int(size[0]), int(size[1]), alt, png(svg))
        for name, (svg, size, alt) in drawn.items()
    }


def _attach(body: MIMEPart, image: Image) -> None:
    name = image.cid.partition("@")[0]
    body.add_related(
        image.data,
        "image",
        "png",
        cid=f"<{image.cid}>",
        disposition="inline",
        filename=f"{name}.png",
    )


def _fix_boundaries(mail: EmailMessage, message_id: str) -> None:
    """Boundaries that follow from the message, so that a retry sends the same bytes."""
    seed = sha256(message_id.encode()).hexdigest()[:24]
    several = (part for part in mail.walk() if part.is_multipart())
    for number, part in enumerate(several):
        part.set_boundary(f"=_{number}_{seed}")
