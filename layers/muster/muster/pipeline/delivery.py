"""A written mail → sent once per report, period and recipient, whatever breaks off and runs again.

Beside ``NAME.eml`` in the outbox lie ``NAME.sending.json`` (somebody took it on, written before),
``NAME.sent.json`` (the receipt, written after) and ``NAME.failed.json`` (why it did not go).
A claim without a receipt may have been sent, so it is never sent again unless a person says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any
from uuid import uuid4

from muster.errors import BadSettings, Conflict, MaybeSent, Retry, Unavailable, Undeliverable
from muster.pipeline.again import patiently
from muster.project import Project
from muster.remembered import Remembered, from_json

SENDING, SENT, FAILED = ".sending.json", ".sent.json", ".failed.json"
# No function and no mail server takes that long: a claim this old belongs to a run that ended.
BROKEN_OFF = timedelta(minutes=15)
# Seconds before a claim or a receipt is written again that could not be: without either, nobody
# can know any more whether the mail went.
PAUSES = (0.5, 2.0, 5.0)
SENT_BEFORE = "sent before"
UNCLEAR = "its sending broke off, so it may have arrived or not"


@dataclass(frozen=True)
class Failure:
    """A mail that did not go, or of which nobody can say: to whom, and why."""

    recipient: str
    reason: str
    is_unclear: bool


@dataclass(frozen=True)
class Delivery:
    """One mail to one recipient: its name in the outbox and the facts of its receipt."""

    project: Project
    name: str
    facts: Mapping[str, str]

    def is_sent(self) -> bool:
        """Whether its receipt is there."""
        return self.project.outbox.get(self.name + SENT) is not None

    def send(self, mail: EmailMessage, *, again: bool = False) -> str:
        """Mail it once: see :meth:`once`."""
        mailer, recipient = self.project.mailer, self.facts["recipient"]
        told = self.once(lambda: mailer.send(mail, recipient), again=again)
        return SENT_BEFORE if told is None else mailer.outcome

    def once(self, post: Callable[[], str], *, again: bool = False) -> str | None:
        """Do it and return its id, none if it was done before; ``again`` takes over a claim that
        broke off.

        Raises ``Undeliverable`` or ``MaybeSent``, kept for the next report, or ``Retry`` and
        ``BadSettings``, after which it can be sent as if nobody had tried.
        """
        claim = self._claim(again)
        if claim is None:
            return None
        try:
            message_id = post()
        except (Retry, BadSettings):
            self._release(claim)
            raise
        except Undeliverable as error:
            self.fail(str(error))
            self._release(claim)
            raise
        except MaybeSent:
            self._put(SENDING, {"broke_off_at": self._now()}, if_match=claim)
            raise
        receipt = self._text({"sent_at": self._now(), "message_id": message_id})
        self._surely(SENT, receipt)
        return message_id

    def fail(self, reason: str) -> None:
        """Keep why it did not go."""
        self._put(FAILED, {"failed_at": self._now(), "reason": reason})

    def _claim(self, again: bool) -> str | None:
        """The ETag of our claim; none if it is sent already."""
        outbox, key, begun = self.project.outbox, self.name + SENDING, self._text(self._begun())
        try:
            return self._surely(SENDING, begun, if_new=True)
        except Conflict:
            there = outbox.get(key)
        if there is not None and there.data == begun:
            return there.etag  # written at the first try, of which no answer came
        if self.is_sent():
            return None
        if there is None or self._is_at_work(there.data):
            raise Conflict(f"{outbox.url(key)}: another run is sending it now")
        if not again:
            raise MaybeSent(f"to {self.facts['recipient']}: {UNCLEAR}")
        return self._put(SENDING, self._begun(), if_match=there.etag)

    def _begun(self) -> dict[str, str]:
        """A claim like no other: a store that lost its answer tells by it whose claim is there."""
        return {"started_at": self._now(), "run": uuid4().hex}

    def _is_at_work(self, claim: bytes) -> bool:
        began = BEGAN.perhaps(self.project.outbox.url(self.name + SENDING), claim)
        # By a clock that was ahead it began in the future; ours may be behind, but not for ever.
        return began is not None and abs(self.project.clock() - began) < BROKEN_OFF

    def _release(self, claim: str) -> None:
        try:
            self.project.outbox.delete(self.name + SENDING, if_match=claim)
        except Conflict:
            return  # A person took it over meanwhile: it is theirs.

    def _put(self, ending: str, facts: Mapping[str, object], **condition: object) -> str:
        return self.project.outbox.put(self.name + ending, self._text(facts), **condition)  # type: ignore[arg-type]

    def _surely(self, ending: str, text: bytes, *, if_new: bool = False) -> str:
        """The ETag of what is written; a store that is out of reach is asked a few times."""
        put = partial(self.project.outbox.put, self.name + ending, text, if_new=if_new)
        return patiently(put, Unavailable, PAUSES, self.project.sleep)

    def _text(self, facts: Mapping[str, object]) -> bytes:
        return json.dumps({**self.facts, **facts}, indent=1).encode()

    def _now(self) -> str:
        return self.project.clock().isoformat()


def failures(project: Project, prefix: str) -> tuple[Failure, ...]:
    """The mails under ``prefix`` that did not go, or may not have gone."""
    return tuple(_failures(project, prefix))


def _failures(project: Project, prefix: str) -> Iterator[Failure]:
    keys = {entry.key for entry in project.outbox.list(prefix)}
    for name in sorted({key.partition(".")[0] for key in keys}):
        if name + SENT in keys:
            continue
        for ending, is_unclear in ((SENDING, True), (FAILED, False)):
            if name + ending in keys:
                told = FACTS.spare(project.outbox, name + ending) or {"recipient": name}
                yield Failure(told["recipient"], told.get("reason", UNCLEAR), is_unclear)
                break


def _began(told: Any) -> datetime | None:
    """When a run began to send; none once it said that it broke off."""
    started = told.get("started_at")
    return datetime.fromisoformat(started).astimezone(UTC) if started else None


def _facts(told: Any) -> dict[str, str]:
    return {"recipient": str(told["recipient"]), **{name: str(one) for name, one in told.items()}}


_TAKEN_AS = "it is taken for a mail whose sending broke off", "ask its reader, then delete it"
BEGAN, FACTS = Remembered(from_json(_began), *_TAKEN_AS), Remembered(from_json(_facts), *_TAKEN_AS)
