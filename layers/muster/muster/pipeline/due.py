"""The settings and what each source remembers → the names of the sources to fetch now."""

from __future__ import annotations

from datetime import timedelta

from muster.lake import state
from muster.project import Project
from muster.settings import Source

# An hourly schedule never fires on the second: without it, every second hour would be left out.
EARLY = timedelta(minutes=5)


def due(project: Project) -> tuple[str, ...]:
    """The sources whose last success is ``every`` ago or more; files are imported, not fetched."""
    return tuple(one.name for one in project.settings.sources if _is_due(project, one))


def _is_due(project: Project, source: Source) -> bool:
    if source.platform == "file":
        return False
    last = state.load(project.lake, source.name).last_success_at
    return last is None or project.clock() >= last + source.every - EARLY
