"""A source of a project in; the signed-in client of its platform out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from muster import sources
from muster.project import Project
from muster.secret import Held
from muster.settings import Source


def connect(project: Project, source: Source) -> Any:
    """The client, or ``None`` for a source without an API; what replaces its secret is kept.

    Raises ``SourceFailed`` for a secret that is missing or not taken.
    """
    held = Held(source.token, project.environment, project.folder)
    http = replace(project.http, held=held) if project.http else None
    return sources.platform(source.platform).connect(source, held.read(), http)
