"""A small project that is measured, and a mailer that does what a test tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from muster.pipeline import latest
from muster.project import Project, open_project
from muster.results import Measured

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
READERS = ANNA, BEN, CLEO = "anna@example.org", "ben@example.org", "cleo@example.org"
SETTINGS = """\
community: Help desk
timezone: Europe/Berlin
reports:
  - {{name: weekly, sender: desk@example.org, recipients: [{readers}]}}
{more}"""


@dataclass
class Postbox:
    """Keeps what is sent; ``trouble`` is asked before, and may raise."""

    trouble: Callable[[str], None] = lambda recipient: None
    sent: list[tuple[str, EmailMessage]] = field(default_factory=list)
    outcome: str = "sent"

    def check(self) -> str:
        return "a box of this test's"

    def send(self, message: EmailMessage, recipient: str) -> str:
        self.trouble(recipient)
        self.sent.append((recipient, message))
        return f"id-{len(self.sent)}"

    @property
    def readers(self) -> list[str]:
        return [recipient for recipient, _ in self.sent]


def measured_project(
    folder: Path, mailer: Any = None, *, now: datetime = NOW, more: str = "",
    environment: dict[str, str] | None = None,
) -> Project:  # fmt: skip
    """A project whose last measurement is of ``now``."""
    text = SETTINGS.format(readers=", ".join(READERS), more=more)
    (folder / "muster.yaml").write_text(text)
    project = open_project(folder, clock=lambda: now, environment=environment or {}, http=None)
    empty = Measured(now, kpis=(), values=(), goals=(), waiting=(), sources=())
    latest.keep(project, empty)
    return replace(project, mailer=mailer) if mailer else project


def at(project: Project, now: datetime) -> Project:
    """The same project at another time, with the same measurement."""
    return replace(project, clock=lambda: now)
