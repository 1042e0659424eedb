"""Each report is mailed once per period and recipient, whatever breaks off and runs again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailing import NOW, READERS, Postbox, at, measured_project

from muster.errors import (
    BadSettings,
    Conflict,
    MaybeSent,
    MusterError,
    RateLimited,
    Unavailable,
    Undeliverable,
)  # fmt: skip
from muster.pipeline import mails, publish, reporting
from muster.pipeline.delivery import Delivery
from muster.project import Project

ANNA, BEN, CLEO = READERS
MAIL = EmailMessage()
LATER = NOW + timedelta(minutes=20)


class Killed(BaseException):
    """The process ends here: nothing catches it."""


def only(recipient: str, error: BaseException) -> Callable[[str], None]:
    """Trouble with one recipient."""

    def trouble(one: str) -> None:
        if one == recipient:
            raise error

    return trouble


def outcomes(project: Project, **how: bool) -> dict[str, str]:
    told = publish.report(project, send=True, **how)
    return {one.recipient: one.outcome for one in told}


def test_a_thousand_runs_send_one_mail(tmp_path: Path) -> None:
    box = Postbox()
    project = measured_project(tmp_path, box)
    assert reporting.deliver(project, "weekly", ANNA).outcome == "sent"
    assert reporting.deliver(project, "weekly", ANNA).outcome == "sent before"
    assert {bare(project).send(MAIL) for _ in range(1000)} == {"sent", "sent before"}
    assert box.readers == [ANNA, BEN]


def bare(project: Project) -> Delivery:
    """The delivery of a mail that costs nothing to render."""
    return Delivery(project, "weekly-2026-W47-ben", {"report": "weekly", "recipient": BEN})


def test_many_runs_at_once_send_one_mail(tmp_path: Path) -> None:
    box = Postbox(lambda _: all_at_once.wait(0.05))
    all_at_once = threading.Event()
    project = measured_project(tmp_path, box)
    told: list[str] = []

    def run() -> None:
        try:
            told.append(reporting.deliver(project, "weekly", ANNA).outcome)
        except Conflict:
            told.append("another")

    runs = [threading.Thread(target=run) for _ in range(8)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert box.readers == [ANNA]
    assert told.count("sent") == 1
    assert set(told) <= {"sent", "sent before", "another"}


def test_a_crash_between_sending_and_its_record_is_never_a_second_mail(tmp_path: Path) -> None:
    box = Postbox()
    project = measured_project(tmp_path, box)
    put = project.outbox.put

    class Dies:
        """The outbox of a process that is killed before the receipt is written."""

        def __getattr__(self, name: str) -> object:
            return getattr(project.outbox, name)

        def put(self, key: str, data: bytes, **how: object) -> str:
            if key.endswith(".sent.json"):
                raise Killed
            return put(key, data, **how)  # type: ignore[arg-type]

    with pytest.raises(Killed):
        reporting.deliver(replace(project, outbox=Dies()), "weekly", ANNA)  # type: ignore[arg-type]
    assert box.readers == [ANNA]

    with pytest.raises(Conflict, match="another run is sending it now"):
        reporting.deliver(project, "weekly", ANNA)
    told = reporting.deliver(at(project, LATER), "weekly", ANNA)
    assert told.outcome == "unclear"
    assert "may have arrived or not" in told.error
    assert box.readers == [ANNA]


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("ending", [".sending.json", ".sent.json"])
def test_a_store_that_is_out_of_reach_for_a_moment_leaves_no_mail_unclear(
    ending: str, is_written: bool, tmp_path: Path
) -> None:
    """Whether what it did not answer to was written or not."""
    slept: list[float] = []
    project = replace(measured_project(tmp_path, box := Postbox()), sleep=slept.append)
    put, troubles = project.outbox.put, [Unavailable("down"), Unavailable("down")]

    class Away:
        """The outbox behind a bad network."""

        def __getattr__(self, name: str) -> object:
            return getattr(project.outbox, name)

        def put(self, key: str, data: bytes, **how: object) -> str:
            if not key.endswith(ending) or not troubles:
                return put(key, data, **how)  # type: ignore[arg-type]
            if is_written and len(troubles) == 2:
                put(key, data, **how)  # type: ignore[arg-type]
            raise troubles.pop()

    mail = bare(replace(project, outbox=Away()))  # type: ignore[arg-type]
    assert (mail.send(MAIL), mail.send(MAIL)) == ("sent", "sent before")
    assert box.readers == [BEN] and slept == [0.5, 2.0]


def test_a_crash_before_sending_is_told_and_sent_when_a_person_says_so(tmp_path: Path) -> None:
    box = Postbox(only(BEN, Killed()))
    project = measured_project(tmp_path, box)
    with pytest.raises(Killed):
        publish.report(project, send=True)
    box.trouble = lambda _: None
    later = at(project, LATER)
    assert outcomes(later) == {ANNA: "sent before", BEN: "unclear", CLEO: "sent"}
    assert outcomes(later, again=True)[BEN] == "sent"
    assert outcomes(later, again=True)[BEN] == "sent before"
    assert sorted(box.readers) == [ANNA, BEN, CLEO]


@pytest.mark.parametrize("error", [Unavailable("down"), RateLimited("slowly", 60)])
def test_temporary_trouble_costs_only_itself_and_is_tried_again(
    tmp_path: Path, error: Exception
) -> None:
    box = Postbox(only(BEN, error))
    project = measured_project(tmp_path, box)
    assert outcomes(project) == {ANNA: "sent", BEN: "not sent yet", CLEO: "sent"}
    with pytest.raises(type(error)):
        reporting.deliver(project, "weekly", BEN)
    box.trouble = lambda _: None
    assert outcomes(project) == {ANNA: "sent before", BEN: "sent", CLEO: "sent before"}


def test_a_refused_address_costs_only_itself_and_the_next_report_says_so(tmp_path: Path) -> None:
    box = Postbox(only(BEN, Undeliverable("ben@example.org is refused: 550 <b>no</b> such user")))
    project = measured_project(tmp_path, box)
    assert outcomes(project) == {ANNA: "sent", BEN: "refused", CLEO: "sent"}

    box.sent.clear()
    box.trouble = lambda _: None
    next_week = measured_project(tmp_path, box, now=NOW + timedelta(weeks=1))
    assert outcomes(next_week) == dict.fromkeys(READERS, "sent")
    for _, mail in box.sent:
        text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert "The last report to ben@example.org was not delivered" in " ".join(text.split())
        assert "<b>no" not in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    site = [key.key for key in project.site.list() if key.key.endswith((".html", ".json"))]
    assert not [key for key in site if b"ben@example.org" in project.site.get(key).data]  # type: ignore[union-attr]


def test_a_refused_address_that_is_mended_gets_this_period_s_report(tmp_path: Path) -> None:
    box = Postbox(only(BEN, Undeliverable("mailbox full")))
    project = measured_project(tmp_path, box)
    outcomes(project)
    box.trouble = lambda _: None
    assert outcomes(project)[BEN] == "sent"
    next_week = measured_project(tmp_path, box, now=NOW + timedelta(weeks=1))
    box.sent.clear()
    outcomes(next_week)
    assert "was not delivered" not in box.sent[0][1].as_string()


def test_what_may_have_been_sent_is_not_sent_again_and_is_told(tmp_path: Path) -> None:
    box = Postbox(only(BEN, MaybeSent("cut off")))
    project = measured_project(tmp_path, box)
    assert outcomes(project)[BEN] == "unclear"
    box.trouble = lambda _: None
    assert outcomes(project)[BEN] == "unclear", "at once, for its run said that it ended"
    assert BEN not in box.readers
    box.sent.clear()
    outcomes(measured_project(tmp_path, box, now=NOW + timedelta(weeks=1)))
    text = " ".join(box.sent[0][1].get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    assert "The last report to ben@example.org was not delivered: its sending broke off" in text


def test_wrong_settings_stop_the_sending_and_leave_no_claim(tmp_path: Path) -> None:
    box = Postbox(only(ANNA, BadSettings("the sender is not verified")))
    project = measured_project(tmp_path, box)
    with pytest.raises(BadSettings, match="not verified"):
        publish.report(project, send=True)
    assert not box.sent
    box.trouble = lambda _: None
    assert outcomes(project) == dict.fromkeys(READERS, "sent")


def test_the_receipt_names_report_recipient_subject_and_message(tmp_path: Path) -> None:
    project = measured_project(tmp_path, Postbox())
    reporting.deliver(project, "weekly", ANNA)
    (key,) = [one.key for one in project.outbox.list() if one.key.endswith(".sent.json")]
    receipt = json.loads(project.outbox.get(key).data)  # type: ignore[union-attr]
    assert (receipt["report"], receipt["recipient"]) == ("weekly", ANNA)
    assert receipt["message_id"] == "id-1"
    assert receipt["sent_at"] == NOW.isoformat()


def test_what_is_sent_is_what_lies_in_the_outbox(tmp_path: Path) -> None:
    box = Postbox()
    project = measured_project(tmp_path, box)
    told = reporting.deliver(project, "weekly", ANNA)
    assert Path(told.path).read_bytes() == box.sent[0][1].as_bytes()


def test_a_mail_tells_how_to_leave_and_comes_from_the_stack_s_sender(tmp_path: Path) -> None:
    box = Postbox()
    project = measured_project(tmp_path, box)
    reporting.deliver(project, "weekly", ANNA)
    stack = measured_project(tmp_path, box, environment={"MUSTER_SENDER": "stack@example.net"})
    reporting.deliver(stack, "weekly", BEN)
    own, stacks = (mail for _, mail in box.sent)
    assert own["From"].addresses[0].addr_spec == "desk@example.org"
    assert own["List-Unsubscribe"] == "<mailto:desk@example.org?subject=unsubscribe%20weekly>"
    assert stacks["From"].addresses[0].addr_spec == "stack@example.net"
    assert stacks["Message-ID"].endswith("@example.net>")


def test_only_a_recipient_of_the_settings_is_mailed(tmp_path: Path) -> None:
    project = measured_project(tmp_path, Postbox())
    assert publish.recipients(project) == tuple(("weekly", one) for one in READERS)
    with pytest.raises(BadSettings, match="no recipient 'mallory@example.org'"):
        reporting.deliver(project, "weekly", "mallory@example.org")
    with pytest.raises(BadSettings, match="no report 'daily'"):
        publish.recipients(project, ["daily"])


def test_the_copy_for_a_browser_holds_its_charts() -> None:
    mail = EmailMessage()
    mail.set_content("text")
    mail.add_alternative('<img src="cid:wide@muster">', subtype="html")
    mail.get_payload()[1].add_related(b"PNG", "image", "png", cid="<wide@muster>")  # type: ignore[index, union-attr]
    assert mails.for_browser(mail).strip() == '<img src="data:image/png;base64,UE5H">'


TROUBLES = st.sampled_from(
    [None, Unavailable("later"), RateLimited("later", 1), Undeliverable("no"), MaybeSent("cut"),
     Killed(), BadSettings("sender")]
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.tuples(TROUBLES, st.integers(0, 40), st.booleans()), min_size=1, max_size=20))
def test_whatever_happens_in_whatever_order_nobody_gets_it_twice(
    story: list[tuple[BaseException | None, int, bool]],
) -> None:
    """A kill may come before the mail leaves or after it."""
    with TemporaryDirectory() as folder:
        box = Postbox()
        project, now = measured_project(Path(folder), box), NOW
        for error, minutes, is_after in story:
            now += timedelta(minutes=minutes)
            box.trouble = troubled(box, error, is_after)
            try:
                bare(at(project, now)).send(MAIL)
            except (MusterError, Killed):
                continue
        assert box.readers in ([], [BEN])


def troubled(
    box: Postbox, error: BaseException | None, is_after: bool
) -> Callable[[str], None]:  # fmt: skip
    def trouble(recipient: str) -> None:
        if isinstance(error, Killed | MaybeSent) and is_after:
            box.sent.append((recipient, None))  # type: ignore[arg-type]
        if error:
            raise error

    return trouble
