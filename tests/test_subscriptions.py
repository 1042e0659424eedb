"""Who left a report, or cannot be reached, is not mailed again until they are taken back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailing import NOW, READERS, Postbox, at, measured_project

from muster.errors import BadSettings
from muster.pipeline import inbox, leaving, publish, reporting, subscriptions
from muster.project import Project
from muster.sending import leaving as tokens

ANNA, BEN, CLEO = READERS
MORE = "unsubscribe: {url: 'https://leave.example/', secret: env:LEAVING}\n"
SECRET = {"LEAVING": "not to be told"}


@pytest.fixture
def box() -> Postbox:
    return Postbox()


@pytest.fixture
def project(tmp_path: Path, box: Postbox) -> Project:
    return measured_project(tmp_path, box, more=MORE, environment=SECRET)


def sent(project: Project) -> dict[str, str]:
    return {one.recipient: one.outcome for one in publish.report(project, send=True)}


def token_of(mail) -> str:
    url = mail["List-Unsubscribe"].strip("<>")
    assert url.startswith("https://leave.example/?u=")
    return url.partition("?u=")[2]


def came_back(project: Project, recipient: str, kind: str, why: str, at=NOW) -> None:
    """As SES tells of it."""
    people = {"bounce": "bouncedRecipients", "complaint": "complainedRecipients"}[kind]
    reason = {"bounce": "bounceType", "complaint": "complaintFeedbackType"}[kind]
    told = {reason: why, "timestamp": at.isoformat(), people: [{"emailAddress": recipient}]}
    mail = {"messageId": f"m-{recipient}-{kind}", "destination": [recipient]}
    inbox.came_back(project, {"eventType": kind.capitalize(), "mail": mail, kind: told})


def text_of(mail) -> str:
    return " ".join(mail.get_body(("plain",)).get_content().split())


@given(st.text(), st.text(), st.text(min_size=1))
def test_a_token_tells_report_and_reader_to_whoever_knows_the_secret(report, reader, secret):
    token = tokens.token(secret, report, reader)
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()
    if len(token) <= tokens.LONGEST:
        assert tokens.read(secret, token) == (report, reader)
    assert tokens.read(secret + "x", token) is None


@given(st.data())
def test_no_token_can_be_changed(data):
    token = tokens.token("secret", "weekly", ANNA)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="utf-8"))
    changed = token[:place] + other + token[place + 1 :]
    # The last letter of each part carries bits that mean nothing.
    assert tokens.read("secret", changed) in (None, ("weekly", ANNA))
    if place not in (token.index(".") - 1, len(token) - 1) and other != token[place]:
        assert tokens.read("secret", changed) is None


@pytest.mark.parametrize("token", ["", ".", "x", "é.é", "W10.x", "a" * 100_000, "W10." + "A" * 43])
def test_nonsense_is_no_token(token: str) -> None:
    assert tokens.read("secret", token) is None


def test_one_click_ends_one_report_for_one_reader(project: Project, box: Postbox) -> None:
    sent(project)
    mail = dict(box.sent)[BEN]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = token_of(mail)
    assert token in mail.get_body(("html",)).get_content()
    answer = leaving.answer(project, "POST", token)
    assert answer.status == 200 and "You are unsubscribed from" in answer.page
    box.sent.clear()
    later = at(project, NOW + timedelta(weeks=1))
    later.outbox.delete(next(e.key for e in later.outbox.list() if "ben" in e.key))
    outcome = {one.recipient: one.outcome for one in publish.report(later, send=True)}
    assert outcome[BEN] == "unsubscribed"
    assert BEN not in box.readers


def test_a_reader_who_left_gets_nothing_and_costs_no_failure(
    project: Project, box: Postbox
) -> None:
    token = tokens.token(SECRET["LEAVING"], "weekly", BEN)
    leaving.answer(project, "POST", token)
    assert sent(project) == {ANNA: "sent", BEN: "unsubscribed", CLEO: "sent"}
    assert not [one for one in publish.report(project, send=True) if one.error]
    assert reporting.deliver(project, "weekly", BEN).outcome == "unsubscribed"
    assert box.readers == [ANNA, CLEO]
    assert BEN not in text_of(box.sent[0][1]), "nobody is told who left"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_only_a_post_leaves_for_scanners_open_every_link(project: Project, method: str) -> None:
    token = tokens.token(SECRET["LEAVING"], "weekly", BEN)
    answer = leaving.answer(project, method, token)
    assert answer.status == 200 and '<form method="post">' in answer.page
    assert sent(project)[BEN] == "sent"


def test_a_forged_link_changes_nothing(project: Project) -> None:
    for token in ("", tokens.token("another", "weekly", BEN)):
        answer = leaving.answer(project, "POST", token)
        assert answer.status == 404 and "not valid" in answer.page
        assert "<form" not in answer.page
    assert not list(project.lake.list("subscriptions/"))


def test_the_page_speaks_the_report_s_language_and_no_names_run_in_it(tmp_path: Path) -> None:
    project = measured_project(tmp_path, more=MORE, environment=SECRET)
    report = project.settings.reports[0].model_copy(
        update={"language": "de", "title": "<script>{0}</script>"}
    )
    german = project.settings.model_copy(update={"reports": (report,)})
    token = tokens.token(SECRET["LEAVING"], "weekly", BEN)
    page = leaving.answer(replace(project, settings=german), "GET", token).page
    assert 'lang="de"' in page and "abbestellen?" in page
    assert "<script" not in page and "&lt;script&gt;{0}" in page


def test_leaving_twice_keeps_the_first_time(project: Project) -> None:
    token = tokens.token(SECRET["LEAVING"], "weekly", BEN)
    leaving.answer(project, "POST", token)
    leaving.answer(at(project, NOW + timedelta(days=9)), "POST", token)
    found = {one.recipient: one for one in subscriptions.readers(project)}
    assert (found[BEN].state, found[BEN].since) == ("unsubscribed", NOW.isoformat())
    assert found[ANNA].state == "gets it"


def test_the_owner_of_the_settings_takes_a_reader_back(project: Project, box: Postbox) -> None:
    leaving.answer(project, "POST", tokens.token(SECRET["LEAVING"], "weekly", BEN))
    with pytest.raises(BadSettings, match="no recipient 'eve@example.org'"):
        subscriptions.take_back(project, "weekly", "eve@example.org")
    assert subscriptions.take_back(project, "weekly", BEN)[1].state == "gets it"
    assert sent(project)[BEN] == "sent"


def test_nothing_is_taken_back_of_a_reader_who_never_left(project: Project) -> None:
    before, after = subscriptions.take_back(project, "weekly", BEN)
    assert before == after and before.state == "gets it"
    assert not list(project.lake.list(subscriptions.SUBSCRIPTIONS))


@pytest.mark.parametrize(
    ("kind", "why", "state", "said"),
    [
        ("bounce", "Permanent", "bounced", "a mail came back for good"),
        ("complaint", "abuse", "complained", "marked one as spam"),
    ],
)
def test_whom_mail_does_not_reach_is_not_mailed_and_the_others_are_told(
    project: Project, box: Postbox, kind: str, why: str, state: str, said: str
) -> None:
    came_back(project, BEN.upper(), kind, why)
    assert sent(project) == {ANNA: "sent", BEN: state, CLEO: "sent"}
    told = text_of(box.sent[0][1])
    assert f"{BEN} gets no more reports: on 23 November 2026" in told and said in told


def test_a_full_mailbox_is_tried_again(project: Project, box: Postbox) -> None:
    came_back(project, BEN, "bounce", "Transient")
    assert sent(project)[BEN] == "sent"


def test_taken_back_until_the_next_mail_comes_back(project: Project, box: Postbox) -> None:
    came_back(project, BEN, "bounce", "Permanent")
    later = at(project, NOW + timedelta(hours=1))
    assert subscriptions.take_back(later, "weekly", BEN)[1].state == "gets it"
    assert sent(later)[BEN] == "sent"
    came_back(later, BEN, "bounce", "Permanent", NOW + timedelta(hours=2))
    assert subscriptions.reader(later, "weekly", BEN).state == "bounced"


def test_the_secret_is_told_nowhere(project: Project, box: Postbox) -> None:
    sent(project)
    leaving.answer(project, "POST", token_of(box.sent[0][1]))
    kept = [store.get(e.key).data for store in (project.lake, project.outbox, project.site)
            for e in store.list()]  # fmt: skip
    assert not [data for data in kept if SECRET["LEAVING"].encode() in data]


def test_without_a_secret_no_mail_goes_and_it_says_which(tmp_path: Path, box: Postbox) -> None:
    project = measured_project(tmp_path, box, more=MORE)
    with pytest.raises(BadSettings, match="unsubscribe.secret: .*LEAVING is empty"):
        publish.report(project, send=True)
    assert not box.sent


def test_readers_can_be_written_as_json(project: Project) -> None:
    assert json.loads(json.dumps([asdict(one) for one in subscriptions.readers(project)]))[0] == {
        "report": "weekly", "recipient": ANNA, "state": "gets it", "since": "", "why": "",
    }  # fmt: skip
