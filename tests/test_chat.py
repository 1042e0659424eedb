"""A report's short form is posted once per channel, in each service's shape, and leaks nothing."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chats import HOSTS, Chats, certificate, running
from mailing import ANNA, NOW, Postbox, at, measured_project

from muster.errors import RateLimited, Unavailable, Undeliverable
from muster.pipeline import doctor, publish, reporting
from muster.project import Project
from muster.sending import chat

SECRET = "TIiajkdnlazkcOXrIdevi7FQ"
SERVICES = {
    "slack": f"slack://T1JJ3T3L2/A1BRTD4JD/{SECRET}/#team",
    "discord": f"discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_{SECRET}",
    "telegram": f"tgram://123456789:{SECRET}_hijklmnop/12315544",
    "teams": f"workflows://prod-00.westus.logic.azure.com:443/643e69f83c8944/{SECRET}",
}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("chats"))


@pytest.fixture
def chats(signed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chats]:
    """Every chat there is, on loopback."""
    with running(signed) as found:
        monkeypatch.setenv("HTTPS_PROXY", found.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(signed))
        yield found


def words_in(posted: Any) -> str:
    """Every text of what was posted."""
    return json.dumps(posted, ensure_ascii=False)


@pytest.mark.parametrize(("service", "host"), list(zip(SERVICES, HOSTS, strict=True)))
def test_a_service_gets_title_and_lines_in_its_own_shape(
    chats: Chats, service: str, host: str
) -> None:
    took = chat.post(SERVICES[service], "A routine week", ["Nothing needs you.", "● Better – x"])
    ((asked, path, posted),) = chats.posts
    assert asked.startswith(host) and SECRET in path
    for text in ("A routine week", "Nothing needs you.", "● Better – x"):
        assert text in words_in(posted)
    assert took and SECRET not in took
    shape = {"slack": "attachments", "discord": "content", "telegram": "chat_id",
             "teams": "attachments"}  # fmt: skip
    assert shape[service] in posted or "embeds" in posted


def test_a_channel_that_takes_little_gets_the_first_lines(chats: Chats) -> None:
    lines = [f"line {number} " + "x" * 90 for number in range(100)]
    chat.post(SERVICES["teams"], "Title", lines)
    said = words_in(chats.posts[0][2])
    assert "line 0 " in said and "line 99 " not in said


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, Undeliverable), (403, Undeliverable), (429, RateLimited), (500, Unavailable)],
)
def test_a_refusal_is_told_without_the_secret(
    chats: Chats, status: int, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    chats.status = status
    with pytest.raises(error) as raised:
        chat.post(SERVICES["slack"], "t", ["l"])
    assert SECRET not in str(raised.value) + caplog.text


def test_what_is_no_channel_is_refused_without_showing_it(
    capfd: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for url in (f"slack://{SECRET}", f"nothing://{SECRET}", SECRET, ""):
        with pytest.raises(Undeliverable, match="apprise knows") as raised:
            chat.post(url, "t", ["l"])
        assert SECRET not in str(raised.value)
    told = capfd.readouterr()
    assert SECRET not in told.out + told.err + caplog.text


def project_of(folder: Path, port: int, box: Postbox, token: str = "env:TEAM") -> Project:
    """Its report goes to three readers and two channels."""
    folder.mkdir(exist_ok=True)
    secrets = {"TEAM": f"json://127.0.0.1:{port}/{SECRET}"}
    project = measured_project(folder, box, environment=secrets)
    text = (folder / "muster.yaml").read_text()
    text = text.replace("{name: weekly,", f"{{name: weekly, chat: [{token}],")
    (folder / "muster.yaml").write_text(text)
    report = project.settings.reports[0].model_copy(update={"chat": (token,)})
    settings = project.settings.model_copy(update={"reports": (report,)})
    return project.__class__(**(vars(project) | {"settings": settings}))


def outcomes(project: Project, **how: bool) -> dict[str, str]:
    return {one.recipient: one.outcome for one in publish.report(project, send=True, **how)}


def test_a_channel_gets_each_report_once_with_the_mail_s_words(
    chats: Chats, tmp_path: Path
) -> None:
    box = Postbox()
    project = project_of(tmp_path, chats.port, box)
    assert outcomes(project)["env:TEAM"] == "posted to JSON"
    assert outcomes(project)["env:TEAM"] == "sent before"
    assert reporting.deliver(project, "weekly", "env:TEAM").outcome == "sent before"
    ((_, _, posted),) = chats.posts
    mail = dict(box.sent)[ANNA]
    text = " ".join(mail.get_body(("plain",)).get_content().split())
    assert posted["title"] == mail["Subject"]
    head, first = posted["message"].splitlines()[:2]
    assert head in text and first in text
    assert ("weekly", "env:TEAM") in publish.recipients(project)


def test_without_send_the_words_lie_in_the_outbox(chats: Chats, tmp_path: Path) -> None:
    project = project_of(tmp_path, chats.port, Postbox())
    told = publish.report(project, send=False)
    (written,) = [one for one in told if one.recipient == "env:TEAM"]
    assert written.outcome == "written" and not chats.posts
    assert Path(written.path).read_text().startswith(written.subject)


def test_a_channel_that_refuses_costs_only_itself_and_the_next_report_says_so(
    chats: Chats, tmp_path: Path
) -> None:
    box = Postbox()
    project = project_of(tmp_path, chats.port, box)
    chats.status = 404
    found = outcomes(project)
    assert found.pop("env:TEAM") == "refused" and set(found.values()) == {"sent"}
    chats.status = 200
    box.sent.clear()
    next_week = project_of(tmp_path, chats.port, box)
    later = measured_project(tmp_path, box, now=NOW + timedelta(weeks=1))
    outcomes(next_week.__class__(**(vars(next_week) | {"clock": later.clock})))
    text = " ".join(box.sent[0][1].get_body(("plain",)).get_content().split())
    assert "The last report to env:TEAM was not delivered: JSON refuses the message: 404" in text


def test_a_channel_that_says_later_is_tried_again(chats: Chats, tmp_path: Path) -> None:
    project = project_of(tmp_path, chats.port, Postbox())
    chats.status = 503
    assert outcomes(project)["env:TEAM"] == "not sent yet"
    chats.status = 200
    assert outcomes(project)["env:TEAM"] == "posted to JSON"


def test_a_channel_that_breaks_off_is_unclear_and_posted_again_only_if_told(
    chats: Chats, tmp_path: Path
) -> None:
    project = project_of(tmp_path, chats.port, Postbox())
    chats.status = 0
    assert outcomes(project)["env:TEAM"] == "unclear"
    chats.status = 200
    assert outcomes(project)["env:TEAM"] == "unclear"
    later = at(project, NOW + timedelta(minutes=20))
    assert outcomes(later, again=True)["env:TEAM"] == "posted to JSON"


def test_no_secret_is_written_anywhere(chats: Chats, tmp_path: Path) -> None:
    project = project_of(tmp_path, chats.port, Postbox())
    told = publish.report(project, send=True)
    stores = (project.lake, project.outbox, project.site)
    kept = [store.get(entry.key).data for store in stores for entry in store.list()]
    assert not [data for data in kept if SECRET.encode() in data]
    assert SECRET not in repr(told)


def test_doctor_says_where_a_channel_leads_and_posts_nothing(chats: Chats, tmp_path: Path) -> None:
    good = project_of(tmp_path / "good", chats.port, Postbox())
    bad = project_of(tmp_path / "bad", chats.port, Postbox(), "env:NOWHERE")
    found = {one.what: one for project in (good, bad) for one in doctor.checkup(project)}
    assert (found["chat env:TEAM"].is_well, found["chat env:TEAM"].says) == (True, "leads to JSON")
    assert not found["chat env:NOWHERE"].is_well
    assert "NOWHERE is empty" in found["chat env:NOWHERE"].says
    assert not chats.posts


def test_whoever_posts_nowhere_does_not_import_apprise() -> None:
    code = (
        "import sys, muster.pipeline.publish, muster.sending.chat\nprint('apprise' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"
