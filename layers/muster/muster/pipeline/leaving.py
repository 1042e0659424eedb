"""A request to the page behind a mail's Unsubscribe → what is answered, and the reader who left.

``GET`` only asks, since mail programs and scanners open every link; ``POST`` leaves: the page's
button sends it, and so do mail programs whose own button is pressed (RFC 8058, "one click").
"""

from __future__ import annotations

from dataclasses import dataclass

from muster.pipeline import subscriptions
from muster.project import Project
from muster.reports import inert, templating, words
from muster.settings import Report

HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True)
class Answer:
    """A status and a page."""

    status: int
    page: str


def answer(project: Project, method: str, token: str) -> Answer:
    """What a request with this token gets; any other method than ``POST`` changes nothing."""
    is_sure = method == "POST"
    with templating.own(project.folder / "templates"):
        report = subscriptions.leave(project, token, is_sure=is_sure)
        if report is None:
            return Answer(404, _page(project, Report(), "NO_LEAVE", asks=False))
        return Answer(200, _page(project, report, "LEFT" if is_sure else "LEAVE", asks=not is_sure))


def _page(project: Project, report: Report, what: str, *, asks: bool) -> str:
    say = words.of(report.language, project.settings.language)
    title = report.title or say.TITLE
    facts = {"report": inert.text(title), "community": inert.text(project.settings.community)}
    told = {
        "say": say,
        "title": getattr(say, what).format(**facts),
        "lead": getattr(say, f"{what}_LEAD").format(**facts),
        "asks": asks,
    }
    return templating.filled("email", "leave.html", told)
