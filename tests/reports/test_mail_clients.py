"""What mail programs know: valid HTML, and nothing unknown to them that a reader would miss."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from measured import campus
from sample import hostile_view, quiet_view, sample_view
from test_email import SENT
from test_sending import Mailbox, mail_server

from muster.reports import email
from muster.sending.smtp import SmtpServer

HOUSE = Path(__file__).resolve().parents[2]
TOOLS = HOUSE / ".cache" / "mail-checks"
PACKAGES = ("caniemail@1.0.5", "html-validate@10.17.0")  # the newest that Node 20 runs

#: What one of Gmail, Outlook or Apple Mail does not know, and why no reader misses it there.
HARMLESS = {
    "@media": "dark colours and the phone's chart are extras; without them the mail is whole",
    "<style> element": "the same; everything needed stands in the tags",
    "display:none": "the preheader is the first line, and the phone's chart stands below the other",
    "overflow": "goes with display:none",
    "overflow-wrap": "a very long word may stand out",
    "word-break": "the same",
    "white-space": "a number and its unit may stand on two lines",
    "role attribute": "a table is read aloud as one",
    "<body> element": "its ground is that of the table inside it too",
}
#: Rules for pages that are wrong for mails, and why.
NOT_FOR_MAILS = {
    "no-inline-style": "Gmail's apps leave out the style sheet for accounts that are not Google's",
    "no-deprecated-attr": "Outlook on Windows aligns and colours by attributes only",
    "no-conditional-comment": "hides the phone's chart from Outlook on Windows",
}
MAILS = {
    "sample": sample_view(), "quiet": quiet_view(), "hostile": hostile_view(),
    "german": campus(language="de"), "executive": campus("executive"),
}  # fmt: skip


@pytest.fixture(scope="module")
def tools() -> Path:
    """The two checkers from npm, in the project's cache."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here, which brings the checkers of mails")
    mark = TOOLS / "packages.txt"
    if not mark.exists() or mark.read_text() != "\n".join(PACKAGES):
        TOOLS.mkdir(parents=True, exist_ok=True)
        asked = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
                 "--prefix", str(TOOLS), *PACKAGES]  # fmt: skip
        ended = subprocess.run(asked, capture_output=True, text=True, timeout=240)
        if ended.returncode:
            pytest.skip(f"npm brought no checkers of mails: {ended.stderr[-300:]}")
        mark.write_text("\n".join(PACKAGES))
    return TOOLS


def page_of(name: str, folder: Path) -> Path:
    file = folder / f"{name}.html"
    file.write_text(email.html(MAILS[name]), encoding="utf-8")
    return file


def test_the_html_is_valid(tools: Path, tmp_path: Path) -> None:
    rules: dict[str, Any] = dict.fromkeys(NOT_FOR_MAILS, "off")
    config = {"root": True, "extends": ["html-validate:recommended"], "rules": rules}
    (tmp_path / ".htmlvalidate.json").write_text(json.dumps(config))
    pages = [page_of(name, tmp_path) for name in MAILS]
    ended = subprocess.run(
        [tools / "node_modules/.bin/html-validate", "--formatter", "text", *pages],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, ""), "each fault is a line"


def test_the_validator_would_find_something(tools: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("<!doctype html><html><p><div></p></html>")
    asked = [tools / "node_modules/.bin/html-validate", tmp_path / "bad.html"]
    assert subprocess.run(asked, capture_output=True).returncode == 1


def unknown(tools: Path, *pages: Path) -> dict[str, list[str]]:
    script = tools / "clients.mjs"
    script.write_text((Path(__file__).parent / "clients.mjs").read_text())
    ended = subprocess.run(["node", script, *pages], capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(ended.stdout)
    return found


def test_what_a_mail_program_does_not_know_no_reader_misses(tools: Path, tmp_path: Path) -> None:
    found = unknown(tools, *(page_of(name, tmp_path) for name in MAILS))
    assert not {title: clients for title, clients in found.items() if title not in HARMLESS}
    assert set(HARMLESS) - set(found) <= {"word-break"}, "the list holds nothing that is not there"


def test_the_data_would_find_what_outlook_does_not_know(tools: Path, tmp_path: Path) -> None:
    file = tmp_path / "flex.html"
    file.write_text('<p style="display:flex;background:url(x)">x</p><svg></svg>')
    found = unknown(tools, file)
    assert any("outlook.windows" in clients for clients in found.values())
    assert set(found) - set(HARMLESS)


@pytest.mark.parametrize("name", MAILS)
def test_a_whole_report_arrives_through_a_mail_server_as_it_was_sent(name: str) -> None:
    view, box = MAILS[name], Mailbox()
    sent = email.render(
        view, sender="desk@example.org", recipient="anna@example.org", message_id="m@example.org",
        date=SENT,
    )  # fmt: skip
    with mail_server(box) as settings:
        SmtpServer(settings, {}).send(sent, "anna@example.org")
    ((envelope,), read) = box.got, message_from_bytes(box.got[0].content, policy=policy.default)
    assert max(map(len, envelope.content.splitlines())) <= 998
    assert not [defect for part in read.walk() for defect in part.defects]
    assert not [defect for header in read.values() for defect in header.defects]
    # What comes first stands on the first line: some programs show a blank for a folded start.
    assert re.search(rb"(?m)^Subject: \S", envelope.content)
    subject = email.inert.everything(view).subject
    assert str(read["Subject"]) == subject
    body = read.get_body(("html",))
    assert body.get_content().splitlines() == email.html(view).splitlines()
    assert read.get_body(("plain",)).get_content().splitlines() == email.plain(view).splitlines()
    pictures = [
        part.get_content() for part in read.walk() if part.get_content_type() == "image/png"
    ]
    assert pictures == [image.data for image in email.images(view)]
