"""One mail per report, period and recipient, whatever the mail server does and whoever is killed.

A story is what befalls one mail: attempt after attempt, alone or several at once, each by a process
that may be killed before or after any of its steps, against a server in some mood. What a server
really took is counted there.
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from command_line import command
from loopback import answering
from mailing import READERS, measured_project
from s3_servers import free_ports
from thorough import IS_THOROUGH, tries

from muster.errors import MaybeSent, MusterError
from muster.pipeline.delivery import SENT_BEFORE, Delivery
from muster.project import Project
from muster.sending import Mailer, ses
from muster.sending.smtp import SmtpServer
from muster.settings import Smtp

STORIES = tries(25, 1000)
LATER = timedelta(minutes=20)
UNCLEAR = MaybeSent.__name__


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@dataclass
class Life:
    """How many steps a process does before it is killed; each call is two: before it, and after."""

    left: int

    def step(self, call: Callable[..., Any], *args: Any, **how: Any) -> Any:
        self._one()
        result = call(*args, **how)
        self._one()
        return result

    def _one(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


@dataclass(frozen=True)
class Mortal:
    """An outbox or a mailer whose calls are the steps of a life."""

    inner: Any
    life: Life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        return (lambda *a, **how: self.life.step(found, *a, **how)) if callable(found) else found


@dataclass
class Post:
    """A mail server: its mood, and how often it took a mail to whom."""

    mood: str = "fine"
    taken: Counter[str] = field(default_factory=Counter)


# ---- two ways to send, on loopback ---------------------------------------------------------------

# Step of the talk and answer; ``cut`` ends the connection there.
SMTP_MOODS = {
    "fine": {}, "closing": {"mail": "421 closing"}, "later": {"mail": "451 later"},
    "greylisted": {"rcpt": "450 greylisted"}, "nobody there": {"rcpt": "550 no such user"},
    "gone at RCPT": {"rcpt": "421 closing"}, "full": {"data": "452 disk full"},
    "spam": {"data": "554 spam"}, "cut at MAIL": {"mail": "cut"}, "cut at RCPT": {"rcpt": "cut"},
    "cut before taken": {"data": "cut"}, "cut after taken": {"data": "cut after"},
}  # fmt: skip


class Talk:
    """aiosmtpd's handler: what is said at each step in the present mood."""

    def __init__(self, post: Post) -> None:
        self.post = post

    def _said(self, server: SMTP, step: str) -> str:
        answer = SMTP_MOODS[self.post.mood].get(step, "250 OK")
        if answer.startswith("cut"):
            server.transport.close()
        return answer

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self._said(server, "mail")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self._said(server, "rcpt")

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self._said(server, "data")
        if answer in ("250 OK", "cut after"):
            self.post.taken.update(envelope.rcpt_tos)
        return answer


@contextmanager
def by_smtp(post: Post) -> Iterator[Mailer]:
    (port,) = free_ports(1)
    controller = Controller(Talk(post), "127.0.0.1", port)
    controller.start()
    try:
        yield SmtpServer(Smtp(host="127.0.0.1", port=port, security="none"), {})
    finally:
        controller.stop()


# Status and code (none: it hangs up), and whether SES took the mail all the same.
SES_MOODS: dict[str, tuple[int | None, str, bool]] = {
    "fine": (200, "", True),
    "throttling": (429, "TooManyRequestsException", False),
    "throttling, in other words": (400, "ThrottlingException", False),
    "quota": (400, "LimitExceededException", False),
    "paused": (400, "SendingPausedException", False),
    "away": (503, "ServiceUnavailable", False),
    "failed": (500, "InternalFailure", False),
    "failed after it was taken": (500, "InternalFailure", True),
    "gateway": (504, "GatewayTimeout", True),
    "refused": (400, "MessageRejected", False),
    "cut": (None, "", False),
    "cut after it was taken": (None, "", True),
}


@contextmanager
def by_ses(post: Post) -> Iterator[Mailer]:
    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        if "/suppression/" in path:
            return 404, {"code": "NotFoundException"}
        status, code, is_taken = SES_MOODS[post.mood]
        if is_taken:
            post.taken.update(json.loads(body)["Destination"]["ToAddresses"])
        if status is None:
            return None
        return status, {"MessageId": "0100"} if status == 200 else {"code": code, "message": code}

    with answering(answer) as url:
        client = ses.client(url)
        yield ses.Ses("", lambda: client)


WAYS = {"smtp": (by_smtp, SMTP_MOODS), "ses": (by_ses, SES_MOODS)}


# ---- stories -------------------------------------------------------------------------------------


def mail_to(recipient: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "desk@example.org", recipient, "Weekly"
    message["Message-ID"] = f"<weekly-{recipient}>"
    message.set_content("All is well.")
    return message


def attempt(project: Project, recipient: str, again: bool = False) -> str:
    """One try to deliver; how it ended."""
    facts = {"report": "weekly", "recipient": recipient, "subject": "Weekly"}
    try:
        return Delivery(project, f"weekly-2026-W47-{recipient}", facts).send(
            mail_to(recipient), again=again
        )
    except MusterError as error:
        return type(error).__name__
    except Killed:
        return "killed"


def mortal(project: Project, life: Life) -> Project:
    """The project of a process that will be killed."""
    return replace(
        project, outbox=Mortal(project.outbox, life), mailer=Mortal(project.mailer, life)
    )


def befallen(
    project: Project, post: Post, moods: list[str], recipient: str, draw: random.Random
) -> tuple[Project, Counter[str]]:
    """Everything that happens to one mail; the project at the end, and how the attempts ended."""
    told: Counter[str] = Counter()
    for _ in range(draw.randrange(1, 7)):
        project = after(project, timedelta(minutes=draw.randrange(0, 30)))
        post.mood = draw.choice(moods)
        senders = [
            mortal(project, Life(draw.randrange(1, 12) if draw.random() < 0.4 else 10**9))
            for _ in range(draw.choice((1, 1, 1, 3)))
        ]
        at_once(lambda one: told.update([attempt(one, recipient)]), senders)
        assert post.taken[recipient] <= 1
    post.mood = "fine"
    return after(project, LATER), told


def after(project: Project, pause: timedelta) -> Project:
    now = project.clock() + pause
    return replace(project, clock=lambda: now)


def at_once(do: Callable[[Project], None], senders: list[Project]) -> None:
    if len(senders) == 1:
        do(senders[0])
        return
    threads = [threading.Thread(target=do, args=(one,)) for one in senders]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


@pytest.mark.parametrize("way", WAYS)
def test_whatever_befalls_a_mail_it_is_taken_once(
    way: str, tmp_path: Path, aws_account: None
) -> None:
    """None is taken twice; each is taken once, of itself or when a person says so."""
    sent_by, moods = WAYS[way]
    post, draw, all_told, ends = Post(), random.Random(8), Counter[str](), Counter[str]()
    with sent_by(post) as mailer:
        project = measured_project(tmp_path, mailer)
        for number in range(STORIES):
            recipient = f"reader{number}@example.org"
            later, told = befallen(project, post, list(moods), recipient, draw)
            all_told += told
            end = attempt(later, recipient)
            if end == UNCLEAR:
                assert told["killed"] or told[UNCLEAR], "what surely was not sent stays unclear"
                end = f"unclear, {'' if post.taken[recipient] else 'not '}arrived"
                if not post.taken[recipient]:
                    assert attempt(later, recipient, again=True) == mailer.outcome
            ends[end] += 1
            assert post.taken[recipient] == 1
    print(f"{way}: {STORIES} mails, {all_told.total()} attempts {all_told}, ends: {ends}")
    assert set(ends) <= {mailer.outcome, SENT_BEFORE, "unclear, arrived", "unclear, not arrived"}
    assert ends[SENT_BEFORE] + ends[mailer.outcome] > STORIES / 10
    assert all_told["killed"] > STORIES / 4


def test_reports_that_many_processes_send_at_once_arrive_once(tmp_path: Path) -> None:
    if not IS_THOROUGH:
        pytest.skip("starts 8 programs at once: make test-faults")
    post = Post()
    with by_smtp(post) as mailer:
        assert isinstance(mailer, SmtpServer)
        where = f"smtp: {{host: 127.0.0.1, port: {mailer.port}, security: none}}"
        measured_project(tmp_path, more=f"mail: smtp\n{where}\n")
        sending = command(tmp_path, "report", "--send")
        runs = [subprocess.Popen(sending, stdout=subprocess.PIPE) for _ in range(8)]
        for one in runs:
            one.communicate(timeout=240)
        last = subprocess.run(sending, capture_output=True, text=True)
    assert post.taken == Counter(READERS)
    assert (last.returncode, last.stdout.count("sent before")) == (0, len(READERS))
