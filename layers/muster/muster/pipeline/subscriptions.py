"""Who wants a report no more, and whom mail does not reach → who gets it, and how they came back.

``subscriptions/left/REPORT/…json`` of the lake are readers who left one report;
``returned/…json`` of the outbox is what SES said of mails that came back;
``subscriptions/back/…json`` are readers whom the settings' owner takes back: from then on, what
came back before counts no more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import blake2b
from typing import Any, Literal
from urllib.parse import quote

from muster.errors import BadSettings, Conflict, SourceFailed
from muster.project import Project
from muster.remembered import Remembered, from_json
from muster.secret import made, reveal
from muster.sending import leaving
from muster.settings import Report

SUBSCRIPTIONS, RETURNED = "subscriptions/", "returned/"
LEFT, BACK = f"{SUBSCRIPTIONS}left/", f"{SUBSCRIPTIONS}back/"
#: What is told of a reader who is not mailed: no failure, since somebody wanted it so.
SILENT = frozenset({"unsubscribed", "bounced", "complained"})
State = Literal["gets it", "unsubscribed", "bounced", "complained"]


@dataclass(frozen=True)
class Reader:
    """One reader of one report, and since when and why they get it no more."""

    report: str
    recipient: str
    state: State
    since: str = ""
    why: str = ""

    @property
    def day(self) -> date:
        """The day of ``since``."""
        return datetime.fromisoformat(self.since).date()


def readers(project: Project, names: tuple[str, ...] = ()) -> tuple[Reader, ...]:
    """Every reader of every report of the settings, and those who left it."""
    reports = [one for one in project.settings.reports if not names or one.name in names]
    asked = [(one.name, reader) for one in reports for reader in one.recipients]
    asked += [(alerts(one.name), reader) for one in reports for reader in one.alerted]
    said = _all_said(project)
    return tuple(_reader(project, name, reader, said) for name, reader in asked)


def alerts(report: str) -> str:
    """What the mails between two issues of a report are called: they are left on their own."""
    return f"{report}/alerts"


def reader(project: Project, report: str, recipient: str) -> Reader:
    """One of them."""
    return _reader(project, report, recipient, _all_said(project))


@dataclass(frozen=True)
class Returned:
    """What SES said of one mail that came back."""

    kind: str
    why: str
    recipients: tuple[str, ...]
    at: str


@dataclass(frozen=True)
class _Said:
    """What is known of readers: where something is kept of one, and what came back."""

    kept: frozenset[str]
    returned: tuple[Returned, ...]


def _all_said(project: Project) -> _Said:
    """Two lists instead of two questions for every reader: nearly nobody ever left."""
    kept = frozenset(entry.key for entry in project.lake.list(SUBSCRIPTIONS))
    return _Said(kept, tuple(_returned(project)))


def _reader(project: Project, report: str, recipient: str, said: _Said) -> Reader:
    key, back = _left(report, recipient), _back(recipient)
    if key in said.kept:  # that it is there says so: when they left is only worth knowing
        return Reader(report, recipient, "unsubscribed", SINCE.spare(project.lake, key) or "")
    taken_back = SINCE.spare(project.lake, back) if back in said.kept else None
    for one in said.returned:
        is_theirs = recipient.lower() in one.recipients
        if is_theirs and (taken_back is None or _instant(one.at) > _instant(taken_back)):
            state: State = "complained" if one.kind == "complaint" else "bounced"
            return Reader(report, recipient, state, one.at, one.why)
    return Reader(report, recipient, "gets it")


def _returned(project: Project) -> Iterator[Returned]:
    """What came back for good: complaints, and bounces that are permanent."""
    for entry in project.outbox.list(RETURNED):
        found = CAME_BACK.spare(project.outbox, entry.key)
        if found and (found.kind == "complaint" or found.why == "Permanent"):
            yield found


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def _at(told: Any) -> str:
    _instant(told["at"])
    return str(told["at"])


def _one_returned(told: Any) -> Returned:
    addresses = tuple(address.lower() for address in told["recipients"])
    return Returned(str(told["kind"]), str(told["why"] or ""), addresses, _at(told))


#: When a reader left or was taken back; whoever left is not mailed, also if nobody can tell when.
SINCE = Remembered(from_json(_at), "when a reader left, or that they were taken back")
CAME_BACK = Remembered(from_json(_one_returned), "one mail that came back")


def link(project: Project, report: str, recipient: str, sender: str) -> str:
    """What a mail's Unsubscribe leads to: a page and one click, else a mail to the sender."""
    found = place(project)
    if found is None:
        return f"mailto:{sender}?subject={quote(f'unsubscribe {report}')}"
    url, reference = found
    token = leaving.token(_secret(project, reference, may_make=True), report, recipient)
    return f"{url}?u={token}"


def place(project: Project) -> tuple[str, str] | None:
    """The page's address and where its secret is: the stack's own, else the settings'."""
    said, own = project.environment, project.settings.unsubscribe
    if url := said.get("MUSTER_UNSUBSCRIBE_URL"):
        return url, said["MUSTER_UNSUBSCRIBE_SECRET"]
    return (own.url, own.secret) if own else None


def leave(project: Project, token: str, *, is_sure: bool) -> Report | None:
    """The report a token is of, left for good if the reader ``is_sure``; none if it is forged.

    A report that the settings know no more is left all the same.
    """
    reference = project.environment.get("MUSTER_UNSUBSCRIBE_SECRET")
    own = project.settings.unsubscribe
    secret = _secret(project, reference or (own.secret if own else ""), may_make=False)
    found = leaving.read(secret, token)
    if found is None:
        return None
    name, recipient = found
    if is_sure:
        told = {"report": name, "recipient": recipient, "at": project.clock().isoformat()}
        with suppress(Conflict):  # They left before: the first time counts.
            project.lake.put(_left(name, recipient), json.dumps(told).encode(), if_new=True)
    known = {one.name: one for one in project.settings.reports}
    return known.get(name.partition("/")[0]) or Report()


def take_back(project: Project, report: str, recipient: str) -> tuple[Reader, Reader]:
    """Mail a reader again: how they were, and are now. Nothing is written of who gets it anyway.

    Only whoever owns the settings may, and the reader should have asked.
    """
    known = {(one.report, one.recipient): one for one in readers(project)}
    before = known.get((report, recipient))
    if before is None:
        raise BadSettings(f"report {report!r} has no recipient {recipient!r}: see muster.yaml")
    if before.state not in SILENT:
        return before, before
    project.lake.delete(_left(report, recipient))
    told = {"recipient": recipient, "at": project.clock().isoformat()}
    project.lake.put(_back(recipient), json.dumps(told).encode())
    return before, reader(project, report, recipient)


def _secret(project: Project, reference: str, *, may_make: bool) -> str:
    known = frozenset(project.environment.items())
    try:
        return _kept(made if may_make else reveal, reference, known)
    except SourceFailed as error:
        raise BadSettings(f"unsubscribe.secret: {error}") from error


@cache
def _kept(how: Any, reference: str, environment: frozenset[tuple[str, str]]) -> str:
    """Asked once, not for every reader."""
    return str(how(reference, dict(environment)) or "")


def _left(report: str, recipient: str) -> str:
    return f"{LEFT}{report}/{_digest(recipient)}.json"


def _back(recipient: str) -> str:
    return f"{BACK}{_digest(recipient)}.json"


def _digest(recipient: str) -> str:
    return blake2b(recipient.lower().encode(), digest_size=16).hexdigest()
