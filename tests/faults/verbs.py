"""The verbs on a small world: what each finds there, and how it is called."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs

import httpx
from dying import Death, MortalTransport

from demo.exchange import Request
from demo.project import TOKENS, write_project
from demo.server import Site
from muster.kpis import catalogue, engine
from muster.lake import suppression
from muster.pipeline import collect, erase, importing, measure, publish
from muster.project import Project, open_project
from muster.sources._http import Http

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)
LATER = timedelta(minutes=20)
DAYS = 4
Verb = Callable[[Project], object]


@dataclass(frozen=True)
class Case:
    """A verb, whose case left what it finds, and when it is called.

    ``again`` is what is called, ``later``, after a run that was killed: as a rule the same at once.
    """

    name: str
    after: str
    verb: Verb
    at: datetime = NOW
    again: Verb | None = None
    later: timedelta = timedelta()


def small() -> None:
    """Batches of few rows and some of the KPIs: as many calls, less that is computed.

    Whom an erasure calls what is drawn by lot; here the lot is always the same. And nothing waits
    for the disk: a process that is killed takes no power with it.
    """
    collect.BATCH_ITEMS, importing.BATCH_RECORDS = 150, 60
    suppression.secrets = SimpleNamespace(token_hex=lambda count: "5e" * count)  # type: ignore[assignment]
    every = catalogue.load
    catalogue.load = lambda folder=None: every(folder)[::12]  # type: ignore[assignment]
    os.fsync = lambda _: None  # type: ignore[assignment]


class World:
    """The demo's platforms, without a network, and project folders that read them.

    What was ``told`` once is told again without being worked out: it is the asker who is tried.
    """

    def __init__(self) -> None:
        self.site = Site(BEFORE, are_limited=False)
        self.site.base_url = "http://127.0.0.1:9"
        self.told: dict[tuple[datetime, str], tuple[int, dict[str, str], bytes]] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the platforms answer."""
        key = self.site.now, str(request.url)
        found = self.told.get(key) or self._told(request)
        if request.method == "GET":  # Who signs in changes the platform: that happens each time.
            self.told[key] = found
        status, headers, content = found
        return httpx.Response(status, headers=headers, content=content)

    def _told(self, request: httpx.Request) -> tuple[int, dict[str, str], bytes]:
        asked = Request(
            request.method,
            request.url.path,
            parse_qs(request.url.query.decode(), keep_blank_values=True),
            {name.lower(): value for name, value in request.headers.items()},
            request.content,
        )
        answer = self.site.answer(asked)
        content, kind = answer.encoded()
        return answer.status, {"Content-Type": kind, **answer.headers}, content

    def settle_in(self, folder: Path, lake: str = "./lake") -> None:
        """Write the settings of a project that reaches back a few days, and its exports."""
        write_project(folder, NOW, 9, {})
        settings = folder / "muster.yaml"
        text = settings.read_text().partition("\ngoals:")[0]
        since = (NOW - timedelta(days=DAYS)).date()
        text = re.sub("^  - name: ", "  - lang: en\n    name: ", text, flags=re.M)
        text = re.sub("^    since: .*", f"    since: {since}", text, flags=re.M)
        settings.write_text(f"{text}{_REPORTS}\nlake: {lake}\nsentiment: none\n")
        _write_messages(folder / "messages.csv")
        _write_members(folder / "members.csv")

    def opened(self, folder: Path, at: datetime = NOW, death: Death | None = None) -> Project:
        """The project at an instant: all its calls see the same clock."""
        self.site.now = at
        transport = MortalTransport(self.answer, death or Death())
        http = Http(transport, clock=lambda: at)
        environment = {**os.environ, **TOKENS}
        return open_project(folder, clock=lambda: at, environment=environment, http=http)


_REPORTS = """
reports:
  - name: weekly
    recipients: [team@nordufer.example, cio@nordufer.example]
"""


def _write_messages(path: Path) -> None:
    """Two sources' messages of three months; each tenth row cannot be taken."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("source", "message_id", "thread_id", "author_id", "created_at", "text"))
        for n in range(200):
            at = BEFORE - timedelta(hours=10 * n)
            when = at.isoformat() if n % 10 else "some day"
            out.writerow(
                (("desk", "chat")[n % 2], f"m{n}", f"t{n // 4}", f"p{n % 9}", when, f"Text {n}")
            )


def _write_members(path: Path) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("source", "member_id", "handle", "email_hash"))
        for n in range(80):
            who = n // 2
            out.writerow((("desk", "chat")[n % 2], f"p{who}", f"person{who}", f"{who:064x}"))


def import_(table: str) -> Verb:
    """Take the table's file in; the refused rows lie in quarantine."""
    return lambda project: importing.import_file(project, table, project.folder / f"{table}.csv")


def fetch(project: Project) -> None:
    """Fetch every source without an error."""
    errors = [one.error for one in collect.fetch(project) if one.error]
    assert not errors, errors


def lose_tables(project: Project) -> None:
    """A lake that has lost its tables: raw has everything still."""
    shutil.rmtree(project.folder / "lake" / "tables")


def erase_busiest(project: Project) -> None:
    """Erase the member of the forum who wrote most."""
    erase.erase(project, "forum", (project.folder / "erased").read_text())


def choose(project: Project) -> None:
    """Write down whom to erase: once erased, nobody can tell who that was."""
    url = project.lake.url()
    ((member,),) = engine.ask(url, _BUSIEST).rows
    (project.folder / "erased").write_text(member)


_BUSIEST = """
select author_id from messages where source = 'forum' and author_role = 'member'
group by author_id order by count(*) desc, author_id limit 1
"""


def report(project: Project) -> None:
    """Publish the site and put the mails into the outbox."""
    publish.report(project, send=True)


def report_again(project: Project) -> None:
    """What a person says once they know that a mail whose sending broke off has not arrived."""
    publish.report(project, send=True, again=True)


CASES = {
    case.name: case
    for case in (
        Case("fetch", "", fetch, BEFORE),
        Case("fetch again", "fetch", fetch),
        Case("import messages", "fetch", import_("messages"), BEFORE),
        Case("import members", "import messages", import_("members"), BEFORE),
        Case("measure", "import members", measure.measure, BEFORE),
        Case("report", "measure", report, BEFORE, report_again, LATER),
        Case("fetch more", "report", fetch),
        Case("measure again", "fetch more", measure.measure),
        Case("report again", "measure again", report, NOW, report_again, LATER),
        Case("lose tables", "fetch", lose_tables),
        Case("replay", "lose tables", collect.replay),
        Case("choose", "report", choose),
        Case("erase", "choose", erase_busiest),
    )
}
