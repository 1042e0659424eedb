"""A source of a project in; the signed-in client of its platform out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from muster import sources
from muster.errors import SourceFailed
from muster.project import Project
from muster.secret import Held
from muster.settings import Source


def connect(project: Project, source: Source, meanwhile: Callable[[], None] = lambda: None) -> Any:
    """The client, or ``None`` for a source without an API; what replaces its secret is kept.

    ``meanwhile`` is called whenever an answer is awaited. Raises ``SourceFailed`` for a secret that
    is missing or not taken.
    """
    held = Held(source.token, project.environment, project.folder)
    http = replace(project.http, held=held, meanwhile=meanwhile) if project.http else None
    secret = held.read()
    try:
        return sources.platform(source.platform).connect(source, secret, http)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # What the error says may be the secret itself.
        raise SourceFailed(
            f"{source.name}: its secret has a shape that {source.platform} does not know "
            f"({type(error).__name__}): make it as the platform's page says"
        ) from None
