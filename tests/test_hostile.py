"""Hostile names and words from file to lake, mail, site and tables: they stay text everywhere."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from muster.pipeline import importing, measure, publish
from muster.project import Project, open_project
from muster.reports import inert

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
FORMULA, BIDI = '=HYPERLINK("http://evil.example";"click")', "\u202etxt.exe\u202c\u200b"
LONG = "x" * 10_000
NAMES = (SCRIPT, IMAGE, FORMULA, BIDI, LONG)
SETTINGS = """\
community: Help desk
sources: [{name: old, platform: file}]
goals:
  - {name: '=1+1', objective: Help, kpi: response_rate, target: {at_least: 90%}, by: 2027-12-31}
reports:
  - {name: weekly, sender: desk@example.org, recipients: [chief@example.org]}
"""
IMAGES = ("cid:", "data:image/png;base64,")  # charts of the mail, and of its copy for browsers
INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x08\x0b-\x1f]")


def rows(folder: Path, name: str, found: list[dict[str, object]]) -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in found), encoding="utf-8")
    return path


def messages() -> list[dict[str, object]]:
    """Each name asks, is answered or waits, is liked and thanks, in a channel of that name."""
    found = []
    for number in range(60):
        name, at = NAMES[number % 5], NOW - timedelta(hours=13 * (number + 1))
        asked = {"message_id": f"q{number}", "thread_id": f"t{number}", "author_id": name[:200],
                 "author_role": "member", "created_at": at.isoformat(), "direction": "inbound",
                 "kind": "post", "channel": name[:200], "url": "javascript:alert(1)",
                 "text": f"{name} it is terrible, I hate it {name}", "lang": "en"}  # fmt: skip
        reply = {"message_id": f"a{number}", "parent_id": f"q{number}", "kind": "reply",
                 "author_id": "desk", "author_role": "staff", "direction": "outbound", "likes": 9,
                 "created_at": (at + timedelta(hours=1)).isoformat(), "text": name}  # fmt: skip
        answer = {**asked, **reply}
        found += [asked] if number % 4 == 0 else [asked, answer]
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "muster.yaml").write_text(SETTINGS)
    found = open_project(folder, clock=lambda: NOW, environment={}, http=None)
    threads = [
        {"thread_id": f"t{number}", "title": NAMES[number % 5], "url": "data:text/html,x",
         "created_at": (NOW - timedelta(hours=13 * (number + 1))).isoformat()}
        for number in range(60)
    ]  # fmt: skip
    for table, held in (("messages", messages()), ("threads", threads)):
        importing.import_file(found, table, rows(folder, table, held), "old")
    measure.measure(found)
    publish.report(found, send=False)
    return found


class Parsed(html.parser.HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def pages(project: Project) -> dict[str, str]:
    found = {}
    for store in (project.site, project.outbox):
        for entry in store.list():
            stored = store.get(entry.key)
            if entry.key.endswith(".html") and stored:
                found[entry.key] = stored.data.decode()
    return found


def test_no_page_and_no_mail_runs_or_loads_what_they_wrote(project: Project) -> None:
    found = pages(project)
    assert len(found) > 50 and any("alert(1)" in page for page in found.values())
    for path, page in found.items():
        for tag, attributes in Parsed(page).tags:
            assert tag != "script" or "/assets/" in f"/{attributes['src']}", path
            assert tag != "img" or (attributes["src"] or "").startswith(IMAGES), path
            assert not [name for name in attributes if name.startswith("on")], path
            for name in ("href", "src"):
                scheme = urlsplit(attributes.get(name) or "").scheme
                assert tag == "img" or scheme in ("", "http", "https", "mailto"), path
        assert not INVISIBLE.search(page), path
        assert "x" * 700 not in page, path


def test_the_mail_s_text_part_and_its_headers_are_plain_lines(project: Project) -> None:
    (entry,) = [one for one in project.outbox.list() if one.key.endswith(".eml")]
    stored = project.outbox.get(entry.key)
    assert stored is not None
    mail = message_from_bytes(stored.data, policy=policy.default)
    body = mail.get_body(("plain",))
    assert body is not None and "terrible" in body.get_content()
    assert not INVISIBLE.search(body.get_content())
    assert mail["to"] == "chief@example.org" and not mail.defects


def test_no_cell_of_any_table_is_a_formula_and_json_holds_no_tag(project: Project) -> None:
    cells = []
    for entry in project.site.list():
        stored = project.site.get(entry.key)
        assert stored is not None
        if entry.key.endswith(".csv"):
            cells += [c for row in csv.reader(io.StringIO(stored.data.decode())) for c in row]
        if entry.key.endswith(".json"):
            assert b"<" not in stored.data and not INVISIBLE.search(stored.data.decode())
            assert len(stored.data) < 3_000_000
    told = [cell for cell in cells if not re.fullmatch(r"-?[0-9.e+-]+", cell)]
    assert any(cell.startswith("'=") for cell in told)
    assert not [cell for cell in told if inert.csv_cell(cell) != cell]
    assert all(len(cell) <= 2_001 for cell in cells)
