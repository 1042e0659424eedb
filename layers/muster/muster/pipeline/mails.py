"""A report's view and its readers → one mail each in the outbox, sent once, or why not."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from email.message import EmailMessage
from hashlib import blake2b
from typing import Any

from muster.clock import DAY, period_start
from muster.errors import (
    MaybeSent,
    MusterError,
    Refused,
    Retry,
    SourceFailed,
    Undeliverable,
)  # fmt: skip
from muster.pipeline import delivery, subscriptions
from muster.pipeline.delivery import Delivery
from muster.pipeline.subscriptions import SILENT, Reader
from muster.project import Project
from muster.reports import data, dates, email, short, words
from muster.reports.between import Alert
from muster.reports.inert import slug
from muster.reports.model import ReportView
from muster.secret import reveal
from muster.sending import chat
from muster.settings import Report

NOBODY = "nobody@example.invalid"
NOT_YET = "not sent yet"


@dataclass(frozen=True)
class Reported:
    """What became of one report for one recipient; ``error`` is empty if all went well."""

    report: str
    recipient: str
    subject: str
    outcome: str
    path: str
    error: str = ""


@dataclass(frozen=True)
class Letter:
    """A view that is to be mailed to one reader, under a name of its own in the outbox."""

    report: Report
    view: ReportView | Alert
    recipient: str
    name: str


def letter(one: Report, found: ReportView, recipient: str) -> Letter:
    """Named the same for the same report, period and recipient; two recipients never share one."""
    period = data.period_id(found.grain, found.period_start)
    return Letter(one, found, recipient, named(f"{found.name}-{period}", recipient))


def named(what: str, recipient: str) -> str:
    """What a mail is called in the outbox."""
    digest = blake2b(recipient.encode(), digest_size=4).hexdigest()
    return f"{what}-{slug(recipient)[:40]}-{digest}"


def sender(project: Project, one: Report) -> str:
    """The stack's own sender, where it has one: no other is verified there."""
    return project.environment.get("MUSTER_SENDER") or one.sender


def with_returns(project: Project, one: Report, found: ReportView) -> ReportView:
    """The view with what became of the mails before: those that did not go, and who gets none."""
    before = period_start(found.period_start - DAY, found.grain)
    failed = delivery.failures(project, f"{one.name}-{data.period_id(found.grain, before)}-")
    say = words.load(found.language)
    lines = [
        say("undelivered", recipient=each.recipient, reason=each.reason.rstrip("."))
        for each in failed
    ]
    lines += _unreached(project, subscriptions.readers(project, (one.name,)), say)
    return replace(found, missing=(*found.missing, *lines))


def _unreached(project: Project, readers: Iterable[Reader], say: words.Words) -> list[str]:
    """Readers whom mail does not reach; those who left are nobody's business."""
    keys = {"bounced": "reader_bounced", "complained": "reader_complained"}
    return [
        say(keys[one.state], recipient=one.recipient, day=dates.day_text(one.day, say))
        for one in readers
        if one.state in keys
    ]


def tried(project: Project, letter: Letter, *, send: bool, again: bool = False) -> Reported:
    """Delivered, or why not yet: the other recipients get theirs."""
    try:
        return delivered(project, letter, send=send, again=again)
    except Retry as error:
        return _told(project, letter, NOT_YET, error)


def delivered(project: Project, letter: Letter, *, send: bool, again: bool = False) -> Reported:
    """The mail as a file, with an HTML copy to look at; a receipt once it is sent.

    A reader who left, or whom mail does not reach, gets none; a chat gets the short form. Raises
    ``Retry`` if it may be later.
    """
    if letter.recipient in letter.report.chat:
        return _posted(project, letter, send=send, again=again)
    for name in _abouts(letter):
        state = subscriptions.reader(project, name, letter.recipient).state
        if state in SILENT:
            return _told(project, letter, state)
    facts = {"report": letter.report.name, "recipient": letter.recipient}
    post = Delivery(project, letter.name, facts | {"subject": letter.view.subject})
    if post.is_sent():
        return _told(project, letter, delivery.SENT_BEFORE)
    try:
        mail = composed(project, letter)
    except Refused as error:
        post.fail(str(error))
        return _told(project, letter, "refused", error)
    project.outbox.put(f"{letter.name}.eml", mail.as_bytes())
    project.outbox.put(f"{letter.name}.html", for_browser(mail).encode())
    if not send or letter.recipient == NOBODY:
        return _told(project, letter, "written")
    return _attempted(project, letter, lambda: post.send(mail, again=again))


def _abouts(letter: Letter) -> tuple[str, ...]:
    """What a reader may have left: the report, and its alerts, which are left on their own."""
    name = letter.report.name
    return (name, subscriptions.alerts(name)) if isinstance(letter.view, Alert) else (name,)


def _attempted(project: Project, letter: Letter, attempt: Callable[[], str]) -> Reported:
    try:
        return _told(project, letter, attempt())
    except Undeliverable as error:
        return _told(project, letter, "refused", error)
    except MaybeSent as error:
        return _told(project, letter, "unclear", error)


def _told(
    project: Project, letter: Letter, outcome: str, error: MusterError | None = None
) -> Reported:
    ending = "txt" if letter.recipient in letter.report.chat else "eml"
    path = project.outbox.url(f"{letter.name}.{ending}")
    said = str(error) if error else ""
    subject = letter.view.subject
    return Reported(letter.report.name, letter.recipient, subject, outcome, path, said)


def _posted(project: Project, letter: Letter, *, send: bool, again: bool) -> Reported:
    """The short form in a chat, once like a mail; the recipient is where the chat's secret is."""
    assert isinstance(letter.view, ReportView)
    title, lines = short.short(letter.view)
    project.outbox.put(f"{letter.name}.txt", "\n".join((title, *lines, "")).encode())
    if not send:
        return _told(project, letter, "written")
    facts = {"report": letter.report.name, "recipient": letter.recipient, "subject": title}
    took: list[str] = []

    def post() -> str:
        took.append(chat.post(_channel(letter.recipient, project), title, lines))
        return letter.name

    def once() -> str:
        done = Delivery(project, letter.name, facts).once(post, again=again)
        return f"posted to {took[0]}" if done else delivery.SENT_BEFORE

    return _attempted(project, letter, once)


def _channel(reference: str, project: Project) -> str:
    try:
        return reveal(reference, project.environment) or ""
    except SourceFailed as error:
        raise Undeliverable(f"chat: {error}") from error


def composed(project: Project, letter: Letter) -> EmailMessage:
    """The mail itself; ``Refused`` if an address is none."""
    found, from_ = letter.view, sender(project, letter.report)
    about = _abouts(letter)[-1]
    leave = subscriptions.link(project, about, letter.recipient, from_)
    head: dict[str, Any] = {
        "sender": from_,
        "recipient": letter.recipient,
        "message_id": f"{letter.name.replace('/', '-')}@{from_.rpartition('@')[2]}",
        "date": found.as_of,
    }
    if isinstance(found, Alert):
        return email.alert(replace(found, unsubscribe_url=leave), **head)
    return email.render(replace(found, unsubscribe_url=leave), **head)


def for_browser(mail: EmailMessage) -> str:
    """The mail's HTML with its charts inside."""
    body = mail.get_body(("html",))
    page = str(body.get_content()) if isinstance(body, EmailMessage) else ""
    for part in mail.walk():
        if name := part["Content-ID"]:
            inside = f"data:image/png;base64,{b64encode(part.get_content()).decode()}"
            page = page.replace(f"cid:{name.strip('<>')}", inside)
    return page
